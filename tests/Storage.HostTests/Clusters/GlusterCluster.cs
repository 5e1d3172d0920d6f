using System.Diagnostics;
using System.Globalization;
using Storage.Worker;
using Xunit;

namespace Storage.HostTests;

/// <summary>A real glusterd with one brick for each volume, on an address of its own: no client can be told another port than 24007.</summary>
internal sealed class GlusterCluster : IAsyncDisposable
{
    internal static readonly string[] Programs = ["glusterd", "gluster", "mount.glusterfs"];

    private readonly GuardedFolder folder;
    private int volumes;

    private GlusterCluster(GuardedFolder folder) => this.folder = folder;

    public static string Address => Loopback.Address;

    public string Folder => folder.Path;

    private string Socket => folder.In("glusterd.sock");

    public static Task<GlusterCluster> StartAsync()
    {
        Requires.Tools(Programs);
        return GuardedFolder.FillAsync("gluster", async folder =>
        {
            var cluster = new GlusterCluster(folder);
            foreach (var part in new[] { "wd", "run", "bricks" })
                folder.Folder(part);
            var settings = folder.In("glusterd.vol");
            await File.WriteAllTextAsync(settings, cluster.Settings());
            folder.Start("glusterd", new HostCommand("glusterd", "-N", "-f", settings, "-p", folder.In("pid"), "-l", folder.In("messages.log")));
            await folder.AnswersAsync("glusterd", () => cluster.GlusterAsync("volume", "list"));
            return cluster;
        }, servers: $"{Address}:");
    }

    /// <summary>A started volume with one brick.</summary>
    public async Task<string> CreateVolumeAsync()
    {
        var name = $"gv{Interlocked.Increment(ref volumes)}";
        await GlusterAsync("volume", "create", name, $"{Address}:{folder.In($"bricks/{name}")}", "force");
        // A brick's log is where the program was built to write it.
        folder.Owns($"/var/log/glusterfs/bricks/{folder.In($"bricks/{name}")[1..].Replace('/', '-')}.log");
        await GlusterAsync("volume", "start", name);
        for (var watch = Stopwatch.StartNew(); !await IsUpAsync(name); await Task.Delay(100))
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(60), $"The brick of {name} does not come up.");
        if (Argument(BrickOf(name), "-S") is { } socket)
            folder.Owns(socket);
        return name;
    }

    public async Task DeleteVolumeAsync(string name)
    {
        await GlusterAsync("volume", "stop", name, "force");
        await GlusterAsync("volume", "delete", name);
    }

    /// <summary>Its brick dies; the volume is there and nobody answers for it.</summary>
    public void KillBrick(string name) => HostProgram.Run("kill", "-9", BrickOf(name));

    /// <summary>The brick comes back, once glusterd has noticed that it is gone.</summary>
    public async Task ReviveBrickAsync(string name)
    {
        for (var watch = Stopwatch.StartNew(); !Lives(BrickOf(name)); await Task.Delay(200))
        {
            await GlusterAsync("volume", "start", name, "force");
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(60), $"The brick of {name} does not come back.");
        }
    }

    public ValueTask DisposeAsync() => folder.DisposeAsync();

    /// <summary>A process that has ended and that nobody has asked after has no memory any more.</summary>
    private static bool Lives(string process) => File.Exists($"/proc/{process}/statm") && !File.ReadAllText($"/proc/{process}/statm").StartsWith("0 ", StringComparison.Ordinal);

    private static string? Argument(string process, string option) =>
        File.ReadAllText($"/proc/{process}/cmdline").Split('\0').SkipWhile(word => word != option).Skip(1).FirstOrDefault();

    private string BrickOf(string name) => File.ReadAllText(Directory.GetFiles(folder.In($"run/vols/{name}"), "*.pid").Single()).Trim();

    private async Task<bool> IsUpAsync(string name) =>
        (await GlusterAsync("volume", "status", name, "--xml")).Contains("<status>1</status>", StringComparison.Ordinal);

    private Task<string> GlusterAsync(params string[] arguments) => RealTools.PrintedAsync(
        new HostCommand("gluster", [$"--glusterd-sock={Socket}", $"--log-file={folder.In("cli.log")}", "--mode=script", .. arguments]) { StallLimit = null });

    private string Settings()
    {
        // Bricks of two runs do not compete for the same ports.
        var ports = Random.Shared.Next(200, 300) * 100;
        return string.Create(CultureInfo.InvariantCulture, $"""
            volume management
                type mgmt/glusterd
                option working-directory {folder.In("wd")}
                option run-directory {folder.In("run")}
                option glusterd-sockfile {Socket}
                option transport-type socket
                option transport.socket.listen-port 24007
                option transport.socket.bind-address {Address}
                option ping-timeout 0
                option event-threads 1
                option base-port {ports}
                option max-port {ports + 99}
            end-volume

            """);
    }
}
