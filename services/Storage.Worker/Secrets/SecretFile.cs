using System.Text.Unicode;
using Microsoft.Win32.SafeHandles;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// A secret as a file for a tool: in memory alone, without a name, reached through this process by those who may look into it, and gone with
/// <see cref="Dispose"/>.
/// </summary>
internal sealed class SecretFile : IDisposable
{
    private readonly SafeFileHandle file;
    private readonly int length;

    private SecretFile(SafeFileHandle file, int length) => (this.file, this.length) = (file, length);

    /// <summary>The path by which a tool opens it.</summary>
    public string Path => $"/proc/{Environment.ProcessId}/fd/{file.DangerousGetHandle()}";

    /// <summary>The passphrase of an image: text, as qemu takes no other.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.Unsupported"/> where it is none; what <see cref="Run.ResolveAsync"/> says.</exception>
    public static async Task<SecretFile> OfPassphraseAsync(SecretReference secret, Run run, CancellationToken cancellationToken)
    {
        using var value = await run.ResolveAsync(secret, cancellationToken);
        if (!Utf8.IsValid(value.Bytes.Span) || value.Bytes.Span.Contains((byte)0))
            throw new StorageException(ErrorCodes.Unsupported, "The value of the secret is no text in UTF-8: qemu takes no other passphrase.", "encryption.secrets");
        return Of(value);
    }

    public static SecretFile Of(SecretValue value)
    {
        var file = LibC.CreateMemoryFile("secret", LibC.MemoryCloseOnExec);
        if (file.IsInvalid)
            throw HostErrors.FromLast("make a file in memory");
        var made = new SecretFile(file, value.Bytes.Length);
        try
        {
            made.Write(value.Bytes.Span);
            return made;
        }
        catch
        {
            made.Dispose();
            throw;
        }
    }

    /// <summary>Overwritten first: the kernel gives its memory back without.</summary>
    public void Dispose()
    {
        try
        {
            Write(new byte[length]);
        }
        catch (StorageException)
        {
            // It is closed all the same.
        }
        file.Dispose();
    }

    private unsafe void Write(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            for (var done = 0; done < bytes.Length;)
            {
                var written = LibC.Write(file, start + done, (nuint)(bytes.Length - done), done);
                if (written > 0)
                    done += (int)written;
                else if (written == 0 || HostErrors.Last != HostErrors.Interrupted)
                    throw HostErrors.FromLast("write a file in memory");
            }
        }
    }
}
