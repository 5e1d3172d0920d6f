using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;
using Microsoft.Win32.SafeHandles;
using Storage.Contracts;

namespace Storage.Worker;

/// <param name="Name">The entry's name.</param>
/// <param name="Kind">As the directory says; unknown where the file system does not keep it there.</param>
internal readonly record struct DirectoryEntry(string Name, FileKind Kind);

/// <summary>The names in a directory, in the order of their UTF-8 bytes, without <c>.</c> and <c>..</c>.</summary>
internal static class DirectoryNames
{
    private const int BufferSize = 64 << 10;

    // struct linux_dirent64: inode, offset, record length, kind, name and a NUL.
    private const int LengthOffset = 16;
    private const int KindOffset = 18;
    private const int NameOffset = 19;
    private const int KindShift = 12;

    /// <param name="directory">Just opened: it is read from its current position.</param>
    /// <returns>The names that are text, and how many are not: invalid UTF-8, or with control characters.</returns>
    /// <exception cref="StorageException">The directory cannot be read.</exception>
    public static unsafe (List<DirectoryEntry> Entries, int Skipped) Read(SafeFileHandle directory, string path, CancellationToken cancellationToken)
    {
        var entries = new List<DirectoryEntry>();
        var skipped = 0;
        var buffer = new byte[BufferSize];
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            nint length;
            fixed (byte* start = buffer)
                length = LibC.ReadDirectory(directory, start, BufferSize);
            if (length < 0)
                throw HostErrors.FromLast($"list {path}");
            if (length == 0)
                break;
            for (var records = buffer.AsSpan(0, (int)length); records.Length > 0;)
            {
                var recordLength = BinaryPrimitives.ReadUInt16LittleEndian(records[LengthOffset..]);
                var kind = (FileKind)(records[KindOffset] << KindShift);
                var name = records[NameOffset..recordLength];
                name = name[..name.IndexOf((byte)0)];
                records = records[recordLength..];
                if (name.SequenceEqual("."u8) || name.SequenceEqual(".."u8))
                    continue;
                if (Text(name) is { } text)
                    entries.Add(new(text, kind));
                else
                    skipped++;
            }
        }
        entries.Sort(static (left, right) => Utf8Order.Compare(left.Name, right.Name));
        return (entries, skipped);
    }

    /// <summary>A name as text; null where it is none.</summary>
    public static string? Text(ReadOnlySpan<byte> name)
    {
        if (!Utf8.IsValid(name))
            return null;
        var text = Encoding.UTF8.GetString(name);
        foreach (var c in text)
        {
            if (char.IsControl(c) || c is '\uFFFE' or '\uFFFF')
                return null;
        }
        return text;
    }
}
