using System.Text.Json;
using Storage.Contracts;
using Storage.Worker;

namespace Storage.HostTests;

/// <summary>
/// A real Ceph of the smallest kind: one monitor, one manager (without it all capacities are zero), one OSD with its data in memory, and
/// cephx. It has two pools for images; <see cref="Client"/> may use only the first.
/// </summary>
internal sealed class CephCluster : IAsyncDisposable
{
    public const string Pool = "volumes";
    public const string ClosedPool = "closed";

    /// <summary>A user with Ceph's profile <c>rbd</c> for <see cref="Pool"/>.</summary>
    public const string Client = "storage";

    /// <summary>What the OSD can hold, in bytes.</summary>
    public const long Capacity = 1 << 30;

    private const string Rbd = "rbd";
    internal static readonly string[] Programs = ["ceph-mon", "ceph-mgr", "ceph-osd", "ceph", "ceph-authtool", "monmaptool", "rados", Rbd];

    private readonly GuardedFolder folder;

    private CephCluster(GuardedFolder folder) => this.folder = folder;

    /// <summary>Its monitor, <c>host:port</c>.</summary>
    public static string Monitor => $"{Loopback.Address}:3300";

    public string Folder => folder.Path;

    /// <summary>The client's secret, in base64.</summary>
    public string Key { get; private set; } = "";

    /// <summary>The ceph.conf of the administrator.</summary>
    public string Settings => folder.In("ceph.conf");

    private string Keys => folder.In("keyring");

    public static Task<CephCluster> StartAsync()
    {
        Requires.Tools(Programs);
        return GuardedFolder.FillAsync("ceph", async folder =>
        {
            var cluster = new CephCluster(folder);
            await cluster.MakeAsync();
            return cluster;
        });
    }

    /// <summary>
    /// A command of the client, with nothing of the cluster from this host's files: the key comes by the standard input. A Ceph that does
    /// not answer, or does not know the key, is waited for 10 s.
    /// </summary>
    public HostCommand AsClient(params string[] arguments) => WithKey(Key, arguments);

    /// <summary>The same with a key of one's own.</summary>
    public static HostCommand WithKey(string key, params string[] arguments) =>
        new(Rbd, ["-c", "/dev/null", "-m", Monitor, "--id", Client, "--keyfile", "-", "--client-mount-timeout", "10", .. arguments])
        {
            SecretInput = SecretValue.Of(System.Text.Encoding.ASCII.GetBytes(key)),
        };

    /// <summary>A command of the administrator, such as <c>ceph</c>, <c>rbd</c> or <c>rados</c>.</summary>
    public HostCommand AsAdministrator(string program, params string[] arguments) => new(program, ["-c", Settings, .. arguments]);

    public ValueTask DisposeAsync() => folder.DisposeAsync();

    private async Task MakeAsync()
    {
        var fsid = Guid.NewGuid().ToString();
        foreach (var part in new[] { "mon", "mgr/x", "osd/0", "run" })
            folder.Folder(part);
        await File.WriteAllTextAsync(Settings, CephSettings.Of(fsid, folder.Path, Capacity));
        await MakeKeysAsync();
        await MakeMonitorAsync(fsid);
        folder.Start("mgr", Daemon("ceph-mgr", "x"));
        var osd = Guid.NewGuid().ToString();
        await folder.AnswersAsync("the monitor", () => RealTools.RunAsync(Ceph("osd", "new", osd)));
        await RealTools.RunAsync(new HostCommand("ceph-osd", "-c", Settings, "-i", "0", "--mkfs", "--osd-uuid", osd));
        folder.Start("osd", Daemon("ceph-osd", "0"));
        foreach (var pool in new[] { Pool, ClosedPool })
        {
            await RealTools.RunAsync(Ceph("osd", "pool", "create", pool, "8", "8", "replicated"));
            await RealTools.RunAsync(Ceph("osd", "pool", "application", "enable", pool, Rbd));
        }
        await folder.AnswersAsync("the first image", () => RealTools.RunAsync(AsClient("create", $"{Pool}/first", "--size", "1M")));
        await RealTools.RunAsync(AsClient("rm", "--no-progress", $"{Pool}/first"));
        await folder.AnswersAsync("the capacity", HasCapacityAsync);
    }

    private async Task MakeKeysAsync()
    {
        string[] all = ["--cap", "mon", "allow *", "--cap", "osd", "allow *", "--cap", "mgr", "allow *"];
        await RealTools.RunAsync(new HostCommand("ceph-authtool", ["--create-keyring", Keys, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *"]));
        await AddKeyAsync("client.admin", all);
        await AddKeyAsync("mgr.x", "--cap", "mon", "allow profile mgr", "--cap", "osd", "allow *", "--cap", "mds", "allow *");
        await AddKeyAsync("osd.0", "--cap", "mon", "allow profile osd", "--cap", "mgr", "allow profile osd", "--cap", "osd", "allow *");
        await AddKeyAsync($"client.{Client}", "--cap", "mon", "profile rbd", "--cap", "osd", $"profile rbd pool={Pool}", "--cap", "mgr", $"profile rbd pool={Pool}");
        Key = await RealTools.PrintedAsync(new HostCommand("ceph-authtool", "-p", "-n", $"client.{Client}", Keys));
    }

    private Task<ToolOutput> AddKeyAsync(string name, params string[] capabilities) =>
        RealTools.RunAsync(new HostCommand("ceph-authtool", [Keys, "--gen-key", "-n", name, .. capabilities]));

    /// <summary>What is in the keyring at this moment is known to the monitor from the beginning.</summary>
    private async Task MakeMonitorAsync(string fsid)
    {
        var map = folder.In("monmap");
        await RealTools.RunAsync(new HostCommand("monmaptool", "--create", "--fsid", fsid, "--addv", "a", CephSettings.MonitorAddresses, map));
        await RealTools.RunAsync(new HostCommand("ceph-mon", "-c", Settings, "--mkfs", "-i", "a", "--monmap", map, "--keyring", Keys));
        folder.Start("mon", Daemon("ceph-mon", "a"));
    }

    /// <summary>Reported by the manager, which learns it from the OSD.</summary>
    private async Task HasCapacityAsync()
    {
        var space = await RealTools.PrintedAsync(AsAdministrator("rados", "df", "--format", "json"));
        if (JsonDocument.Parse(space).RootElement.GetProperty("total_space").GetInt64() == 0)
            throw new StorageException(ErrorCodes.HostFailure, space);
    }

    private HostCommand Daemon(string program, string name) => new(program, "-f", "-c", Settings, "-i", name);

    private HostCommand Ceph(params string[] arguments) => AsAdministrator("ceph", ["--connect-timeout", "10", .. arguments]);
}
