namespace Storage.IntegrationTests;

/// <summary>A stand-in for qemu-img that writes down its arguments, variables and limits, and then is the real one.</summary>
public sealed class ToldTool
{
    /// <param name="folder">For the script, which goes to the front of PATH, and for <c>told</c>.</param>
    public ToldTool(string folder)
    {
        Folder = Directory.CreateDirectory(folder).FullName;
        var real = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/usr/bin")
            .Select(directory => Path.Combine(directory, "qemu-img")).FirstOrDefault(File.Exists)
            ?? throw new FileNotFoundException("The test needs qemu-img (package qemu-utils).");
        var script = Path.Combine(folder, "qemu-img");
        File.WriteAllText(script, $"""
            #!/bin/sh
            tr '\0' '\n' < /proc/$$/cmdline >> {Folder}/told
            tr '\0' '\n' < /proc/$$/environ >> {Folder}/told
            cat /proc/$$/limits >> {Folder}/told
            exec {real} "$@"

            """);
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public string Folder { get; }
}
