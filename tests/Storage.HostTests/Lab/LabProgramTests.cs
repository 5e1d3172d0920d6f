using System.Diagnostics;
using Xunit;

namespace Storage.HostTests;

/// <summary>The program <c>infra/lab/vm</c> as it is used by hand.</summary>
[Collection(Lab.Name)]
[Trait(Lab.Trait, Lab.Name)]
public sealed class LabProgramTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("vm-").FullName;

    /// <summary>Of the environment, where the emulator is another.</summary>
    private string settings = "";

    private string Run => Path.Combine(folder, "run");

    [Fact]
    public async Task One_is_up_answers_and_goes_down_with_its_folder()
    {
        await LabHost.RunningVmAsync();
        Assert.StartsWith("up in ", Vm("up"), StringComparison.Ordinal);
        try
        {
            Assert.StartsWith($"up in {Run}, process ", Vm("status"), StringComparison.Ordinal);
            Assert.Equal("lab\n", Vm("ssh", "hostname"));
        }
        finally
        {
            // Fails where it had to be killed.
            Vm("down");
        }
        Assert.False(Directory.Exists(Run));
        Assert.Equal($"none is up in {Run}\n", Vm("status"));
    }

    [Fact]
    public void A_virtualisation_that_boots_no_kernel_is_asked_twice_and_not_used()
    {
        var called = FakeEmulator("exec sleep 600");
        for (var i = 0; i < 3; i++)
        {
            var watch = Stopwatch.StartNew();
            Assert.Equal("tcg\n", Vm("accelerator"));
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(25), $"It took {watch.Elapsed.TotalSeconds:0} s.");
        }
        Assert.Equal(File.Exists("/dev/kvm") ? 2 : 0, File.Exists(called) ? File.ReadLines(called).Count() : 0);
    }

    [Fact]
    public void The_last_boot_is_tried_without_virtualisation()
    {
        if (!File.Exists("/dev/kvm"))
            throw Requires.Missing("there is no /dev/kvm");
        // With it a kernel is seen to boot, and yet each VM ends at once.
        var called = FakeEmulator("""case "$*" in *virtio-net*) exit 1 ;; esac; for word; do case $word in file:*) echo 'Unable to mount root' >"${word#file:}" ;; esac; done""");
        var error = Assert.Throws<InvalidOperationException>(() => Vm("up"));
        Assert.Contains("boot 3 failed", error.Message, StringComparison.Ordinal);
        Assert.Equal(["kvm", "kvm", "kvm", "tcg,thread=multi,tb-size=512"], File.ReadLines(called).Select(line => line.Split("-accel ")[1].Split(' ')[0]));
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>An emulator and an image that are none, found before the real ones.</summary>
    /// <returns>The file that gets a line for each call.</returns>
    private string FakeEmulator(string does)
    {
        settings = $"PATH={folder}:$PATH STORAGE_LAB_CACHE={folder}";
        var called = Path.Combine(folder, "called");
        var program = Path.Combine(folder, "qemu-system-x86_64");
        File.WriteAllText(program, $"#!/bin/bash\necho \"$*\" >>{called}\n{does}\n");
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var image = Directory.CreateDirectory(Path.Combine(folder, "image")).FullName;
        foreach (var (name, text) in new[] { ("root.raw", ""), ("vmlinuz", ""), ("disk", "virtio\n") })
            File.WriteAllText(Path.Combine(image, name), text);
        var scripts = HostProgram.Run("sh", "-c", $"cd {Path.GetDirectoryName(Lab.Program("vm"))}; cat image init sources | sha256sum | cut -c1-16").Trim();
        File.CreateSymbolicLink(Path.Combine(folder, $"current-{scripts}"), image);
        return called;
    }

    private string Vm(params string[] arguments) =>
        HostProgram.Run("sh", ["-c", $"exec env STORAGE_LAB_RUN={Run} {settings} \"$0\" \"$@\" </dev/null", Lab.Program("vm"), .. arguments]);
}
