using System.Diagnostics;

namespace Storage.HostTests;

/// <summary>
/// A lab VM of this process, in a folder of its own. A shell between the two ends it and removes the folder as soon as this process has closed
/// its pipe, which the kernel does also after SIGKILL.
/// </summary>
internal sealed class LabVm : IDisposable
{
    /// <summary>The lab's programs end with it where the machine cannot run a VM; they have said why.</summary>
    private const int Cannot = 77;

    /// <summary>What it says when it answers, and how long that took.</summary>
    public const string Ready = "ready ";

    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(30);

    private readonly Process guard;

    private LabVm(Process guard, string folder, string boot) => (this.guard, Folder, Boot) = (guard, folder, boot);

    public string Folder { get; }

    /// <summary>How long it took to boot: <c>12 s</c>.</summary>
    public string Boot { get; }

    /// <summary>The process id of qemu.</summary>
    public string Emulator => File.ReadAllText(Path.Combine(Folder, "pid")).Trim();

    /// <summary>Returns when it answers.</summary>
    /// <param name="agent">With a disk that has the agent on it, virtio-agent.</param>
    public static async Task<LabVm> StartAsync(bool agent = false)
    {
        var folder = Path.Combine(Path.GetTempPath(), $"lab-{Guid.NewGuid():N}");
        var start = new ProcessStartInfo("setsid", [Lab.Program("vm"), "hold", folder])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (agent)
            start.Environment["STORAGE_LAB_AGENT"] = "1";
        var guard = Process.Start(start)!;
        var errors = guard.StandardError.ReadToEndAsync();
        if (await guard.StandardOutput.ReadLineAsync() is { } line && line.StartsWith(Ready, StringComparison.Ordinal))
            return new LabVm(guard, folder, line[Ready.Length..]);
        await guard.WaitForExitAsync();
        var reason = (await errors).Trim();
        throw guard.ExitCode == Cannot ? Requires.Missing(reason) : new InvalidOperationException($"The lab VM does not come up: {reason}");
    }

    /// <summary>Runs a script in it, which ends at the first command that fails, and gives what it printed.</summary>
    /// <exception cref="InvalidOperationException">It failed; with what it said.</exception>
    public string Run(string script)
    {
        // The script is read before it is run: what it runs finds an input that is at its end.
        var start = new ProcessStartInfo("ssh", ["-F", Path.Combine(Folder, "ssh_config"), "lab", "exec bash -ec \"$(cat)\" lab"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var ssh = Process.Start(start)!;
        var errors = ssh.StandardError.ReadToEndAsync();
        ssh.StandardInput.Write(script);
        ssh.StandardInput.Close();
        var output = ssh.StandardOutput.ReadToEnd();
        ssh.WaitForExit();
        return ssh.ExitCode == 0
            ? output
            : throw new InvalidOperationException($"{script}\nended with {ssh.ExitCode}: {errors.Result}{output}");
    }

    public void Dispose()
    {
        guard.StandardInput.Close();
        if (!guard.WaitForExit(EndLimit))
            throw new TimeoutException("The lab VM does not end.");
        guard.Dispose();
    }
}
