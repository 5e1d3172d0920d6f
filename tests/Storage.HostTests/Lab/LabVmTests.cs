using System.Diagnostics;
using Storage.TestServers;
using Xunit;

namespace Storage.HostTests;

/// <summary>VMs stand in nobody's way, and none outlives who asked for it.</summary>
[Collection(Lab.Name)]
[Trait(Lab.Trait, Lab.Name)]
public sealed class LabVmTests
{
    [Fact]
    public async Task Two_run_side_by_side_and_each_is_a_fresh_one()
    {
        var first = await LabHost.RunningVmAsync();
        first.Run("echo one >/root/here; echo one | dd of=/dev/disk/by-id/virtio-lab0 conv=fsync status=none");
        using (var second = await LabVm.StartAsync())
        {
            Assert.NotEqual(first.Emulator, second.Emulator);
            Assert.Equal("no\n", second.Run("if [ -e /root/here ]; then echo yes; else echo no; fi"));
            second.Run("cmp -n 4 /dev/disk/by-id/virtio-lab0 /dev/zero");
            Assert.Equal("one\n", first.Run("cat /root/here; wipefs --all --quiet /dev/disk/by-id/virtio-lab0; dd if=/dev/zero of=/dev/disk/by-id/virtio-lab0 count=1 status=none"));
        }
    }

    [Fact]
    public async Task One_ends_with_the_process_that_asked_for_it_also_when_that_is_killed()
    {
        await LabHost.RunningVmAsync();
        var folder = Path.Combine(Path.GetTempPath(), $"lab-{Guid.NewGuid():N}");
        // Stands for a process of tests: it holds the pipe, says what it reads, and waits.
        const string Tests = """
            coproc setsid "$0" hold "$1"
            read -r line <&"${COPROC[0]}"
            echo "$line"
            read -r line <&"${COPROC[0]}"
            """;
        using var tests = Process.Start(new ProcessStartInfo("bash", ["-c", Tests, Lab.Program("vm"), folder]) { RedirectStandardOutput = true })!;
        Assert.StartsWith(LabVm.Ready, await tests.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        var emulator = (await File.ReadAllTextAsync(Path.Combine(folder, "pid"), TestContext.Current.CancellationToken)).Trim();
        Assert.True(Directory.Exists($"/proc/{emulator}"));
        tests.Kill();
        await Eventually.HoldsAsync("the VM's end", _ => Task.FromResult(!Directory.Exists($"/proc/{emulator}") && !Directory.Exists(folder)));
    }

    [Fact]
    public async Task One_ends_with_the_shell_that_holds_it_also_when_that_is_killed()
    {
        await LabHost.RunningVmAsync();
        var folder = Path.Combine(Path.GetTempPath(), $"lab-{Guid.NewGuid():N}");
        using var shell = Process.Start(new ProcessStartInfo(Lab.Program("vm"), ["hold", folder]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        try
        {
            Assert.StartsWith(LabVm.Ready, await shell.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
            var emulator = (await File.ReadAllTextAsync(Path.Combine(folder, "pid"), TestContext.Current.CancellationToken)).Trim();
            shell.Kill();
            await Eventually.HoldsAsync("the VM's end", _ => Task.FromResult(!Directory.Exists($"/proc/{emulator}")));
        }
        finally
        {
            // Nobody was left to do it.
            Directory.Delete(folder, recursive: true);
        }
    }
}
