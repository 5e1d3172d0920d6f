using System.Diagnostics;

namespace Storage.HostTests;

/// <summary>A block device over a sparse file, gone with the object.</summary>
internal sealed class LoopDevice : IDisposable
{
    private readonly string file;

    private LoopDevice(string file, string path) => (this.file, Path) = (file, path);

    public string Path { get; }

    /// <param name="size">In bytes.</param>
    public static LoopDevice Create(long size)
    {
        Requires.Root();
        Requires.Tool("losetup");
        var file = System.IO.Path.GetTempFileName();
        using (var image = File.OpenWrite(file))
            image.SetLength(size);
        try
        {
            return new LoopDevice(file, HostProgram.Run("losetup", "--find", "--show", file).Trim());
        }
        catch (InvalidOperationException e)
        {
            File.Delete(file);
            throw Requires.Missing($"no loop device can be made: {e.Message}");
        }
    }

    public void Dispose()
    {
        HostProgram.Run("losetup", "--detach", Path);
        File.Delete(file);
    }
}

/// <summary>Programs that the tests themselves use.</summary>
internal static class HostProgram
{
    /// <summary>Runs it to its end and gives what it printed.</summary>
    /// <exception cref="InvalidOperationException">It ended with another code than 0.</exception>
    public static string Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(Requires.Tool(program), arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? output
            : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}: {errors.Result}");
    }
}
