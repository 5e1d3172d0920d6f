using System.Diagnostics;
using Storage.StandIns;
using Storage.Worker;
using Xunit;

namespace Storage.HostTests;

/// <summary>
/// Stand-ins do what the tables say of the real tools. With <c>STORAGE_REAL_DOG</c>, <c>STORAGE_REAL_VSTORAGE</c> (the folder with the
/// real programs, and a new cluster) or <c>STORAGE_REAL_FC_HOST</c> (the name of a host of this machine) the real ones are asked.
/// </summary>
[Trait("needs", "clusters")]
public sealed class StandInTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("stand-in-").FullName;

    [Fact]
    public void The_stand_in_for_dog_answers_as_dog_does() => Check("dog.txt", ToolsOf("sheepdog", "STORAGE_REAL_DOG"), new()
    {
        ["STORAGE_STANDIN_SHEEPDOG"] = folder,
    });

    [Fact]
    public void The_stand_in_for_vstorage_mounts_with_the_source_and_rights_of_the_real_one()
    {
        Requires.Root();
        File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(folder, "clusters", "cl1")).FullName, "password"), "secret\n");
        var target = Directory.CreateDirectory(Path.Combine(folder, "at")).FullName;
        try
        {
            Check("vstorage.txt", ToolsOf("vstorage", "STORAGE_REAL_VSTORAGE"), new()
            {
                ["STORAGE_STANDIN_VSTORAGE"] = Path.Combine(folder, "clusters"),
                ["TARGET"] = target,
            });
        }
        finally
        {
            if (MountTable.At(target) is not null)
                HostProgram.Run("umount", "--lazy", target);
        }
    }

    [Fact]
    public void The_stand_in_for_a_fibre_channel_host_reads_and_writes_as_sysfs()
    {
        if (Environment.GetEnvironmentVariable("STORAGE_REAL_FC_HOST") is { } real)
        {
            Check("fc-hosts.txt", null, new() { ["SYS"] = "/sys", ["HOST"] = real });
            return;
        }
        using var hosts = new FcHosts(folder);
        hosts.Add(new FcHost(5, "20000000c9831b4b", "10000000c9831b4b"));
        Check("fc-hosts.txt", null, new() { ["SYS"] = folder, ["HOST"] = "host5" });
        Assert.Empty(hosts.Refused);
    }

    [Fact]
    public async Task A_fibre_channel_host_has_no_more_virtual_ones_than_it_can_and_none_twice()
    {
        using var hosts = new FcHosts(folder);
        hosts.Add(new FcHost(5, "20000000c9831b4b", "10000000c9831b4b") { MaxVports = 1 });
        hosts.Add(new FcHost(6, "20000000c9831b4c", "10000000c9831b4c") { MaxVports = 9 });
        hosts.Add(new FcHost(7, "20000000c9831b4d", "10000000c9831b4d") { MaxVports = 0 });
        const string Names = "2101001b32a9d002:2001001b32a9d002";
        await File.WriteAllTextAsync(Path.Combine(folder, "class/fc_host/host5/vport_create"), Names, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder, "class/fc_host/host5/vport_create"), "2101001b32a9d003:2001001b32a9d003", TestContext.Current.CancellationToken);
        await RefusedAsync(hosts, 1);
        await File.WriteAllTextAsync(Path.Combine(folder, "class/fc_host/host6/vport_create"), Names, TestContext.Current.CancellationToken);
        await RefusedAsync(hosts, 2);
        Assert.Equal(["2101001b32a9d003:2001001b32a9d003 ENOSPC", $"{Names} EEXIST"], hosts.Refused);
        Assert.Equal("1\n", await File.ReadAllTextAsync(Path.Combine(folder, "class/fc_host/host5/npiv_vports_inuse"), TestContext.Current.CancellationToken));
        Assert.False(File.Exists(Path.Combine(folder, "class/fc_host/host7/vport_create")));
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static async Task RefusedAsync(FcHosts hosts, int count)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        for (var watch = Stopwatch.StartNew(); hosts.Refused.Count < count; await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken))
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(30), "What was written is not refused.");
    }

    private static string ToolsOf(string product, string real) => Environment.GetEnvironmentVariable(real) ?? Path.Combine(AppContext.BaseDirectory, product);

    private void Check(string table, string? tools, Dictionary<string, string> variables)
    {
        var cases = ToolTable.Read(table);
        Assert.NotEmpty(cases);
        foreach (var expected in cases)
        {
            var start = new ProcessStartInfo("sh", ["-c", expected.Command]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder };
            foreach (var (name, value) in variables)
                start.Environment[name] = value;
            start.Environment["LC_ALL"] = "C";
            start.Environment["PATH"] = tools is null ? ToolPath.Variable : $"{tools}:{ToolPath.Variable}";
            using var process = Process.Start(start)!;
            var errors = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            var said = $"{expected.Command}\nended with {process.ExitCode}\n{output}\n{errors.Result}\ninstead of {expected.ExitCode?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "a failure"}\n{expected.Output}\n{expected.Errors}";
            Assert.True(expected.ExitCode is { } code ? process.ExitCode == code : process.ExitCode != 0, said);
            Assert.True(expected.Output.IsMatch(output) && expected.Errors.IsMatch(errors.Result), said);
        }
    }
}
