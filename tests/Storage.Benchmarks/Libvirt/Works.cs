using System.Diagnostics;

namespace Storage.Benchmarks.Libvirt;

/// <summary>A piece of work that both do.</summary>
/// <param name="Title">What is done.</param>
/// <param name="Count">How many of it.</param>
/// <param name="Mark">How many times as fast as the other one it is to be, at least.</param>
/// <param name="RunAsync">Does it in a round, and says how long that alone took.</param>
/// <param name="Within">The seconds that it is to take at most, whatever the other one takes; null where the mark counts.</param>
internal sealed record Work(string Title, int Count, double Mark, Func<IPeer, int, Task<Taken>> RunAsync, double? Within = null)
{
    public bool IsMissedBy(double seconds, double ratio) => Within is { } limit ? seconds > limit : ratio < Mark;
}

/// <param name="Wall">How long it took.</param>
/// <param name="Cpu">Processor time of all the peer's servers, with what prepared the work and cleaned up after it.</param>
internal sealed record Taken(TimeSpan Wall, TimeSpan Cpu = default);

internal sealed class Works
{
    private const int Clients = 8;
    private const int InFlight = 64;
    private const long MiB = 1 << 20;
    private const long GiB = 1 << 30;
    private const string Big = "big";

    /// <summary>The files of a pool are older than a moment, which is how coarse their times are.</summary>
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(2.5);


    private readonly WorkFolder folder;
    private readonly Dictionary<IPeer, IPeerPool> pools = [];
    private readonly Dictionary<IPeer, IPeerPool> reflinkPools = [];
    private readonly Dictionary<(IPeer Peer, string Files), IPeerPool> found = [];

    public Works(WorkFolder folder)
    {
        this.folder = folder;
        List<Work> all =
        [
            new("create sparse raw volumes by single commands", 1000, 1, (peer, round) => CreateAsync(peer, round, "raw", 1000, together: false)),
            new("create sparse raw volumes by one command", 1000, 10, (peer, round) => CreateAsync(peer, round, "raw", 1000, together: true)),
            new("create qcow2 volumes by single commands", 200, 5, (peer, round) => CreateAsync(peer, round, "qcow2", 200, together: false)),
            new("create qcow2 volumes by one command", 200, 20, (peer, round) => CreateAsync(peer, round, "qcow2", 200, together: true)),
            new("delete volumes by single commands", 1000, 0.5, (peer, round) => DeleteAsync(peer, round, together: false)),
            new("delete volumes by one command", 1000, 3, (peer, round) => DeleteAsync(peer, round, together: true)),
            new("clone 1 GiB", 1, 1 / 0.7, (peer, round) => CloneAsync(pools[peer], $"clone{round}", reflink: false)),
        ];
        if (folder.Reflink is not null)
            all.Add(new("clone 1 GiB by sharing blocks", 1, 1, (peer, round) => CloneAsync(reflinkPools[peer], $"clone{round}", reflink: true), Within: 0.05));
        foreach (var (format, count) in new[] { ("raw", 10_000), ("raw", 50_000), ("qcow2", 5000) })
        {
            all.Add(new($"find {count} {format} files, until all are in the inventory", count, 1 / 3.0, (peer, round) => FindAsync(peer, round, format, count)));
            all.Add(new($"refresh {count} {format} files: time on the host", count, 1 / 0.7, (peer, _) => RefreshAsync(peer, format, count, onHost: true)));
            all.Add(new($"refresh {count} {format} files: until the inventory is complete", count, 1 / 3.0, (peer, _) => RefreshAsync(peer, format, count, onHost: false)));
        }
        all.Add(new("look up a volume by name and read it, 8 clients", 5000, 3, ReadAsync));
        all.Add(new("list volumes", 10_000, 1 / 3.0, ListAsync));
        all.Add(new("define, build, start, stop and undefine a pool, 8 clients", 200, 0.5, CycleAsync));
        All = all;
        Delays = new DelayWorks(peer => pools[peer]).All;
    }

    public IReadOnlyList<Work> All { get; }

    public IReadOnlyList<DelayWork> Delays { get; }

    public async Task BeginAsync(IPeer peer)
    {
        pools[peer] = await peer.CreatePoolAsync("work", BigFile(folder.Of(peer, "work")));
        if (folder.Reflink is not null)
            reflinkPools[peer] = await peer.CreatePoolAsync("reflink", BigFile(Path.Combine(folder.Reflink, peer.Name)));
    }

    private async Task<Taken> CreateAsync(IPeer peer, int round, string format, int count, bool together)
    {
        List<NewVolume> volumes = [.. Enumerable.Range(0, count).Select(i => new NewVolume($"{format}-{round}-{together}-{i:0000}", format, format == "raw" ? MiB : GiB))];
        var pool = pools[peer];
        var taken = await TimeAsync(() => together ? pool.CreateTogetherAsync(volumes) : pool.CreateAsync(volumes, ClientsOf(peer)));
        await pool.DeleteAsync([.. volumes.Select(volume => volume.Name)], ClientsOf(peer));
        return taken;
    }

    private async Task<Taken> DeleteAsync(IPeer peer, int round, bool together)
    {
        List<NewVolume> volumes = [.. Enumerable.Range(0, 1000).Select(i => new NewVolume($"delete-{round}-{together}-{i:0000}", "raw", MiB))];
        List<string> names = [.. volumes.Select(volume => volume.Name)];
        await pools[peer].CreateTogetherAsync(volumes);
        return await TimeAsync(() => together ? pools[peer].DeleteTogetherAsync(names) : pools[peer].DeleteAsync(names, ClientsOf(peer)));
    }

    private static async Task<Taken> CloneAsync(IPeerPool pool, string name, bool reflink)
    {
        var taken = await TimeAsync(() => pool.CloneAsync(Big, new NewVolume(name, "raw", GiB), reflink));
        await pool.DeleteAsync([name], 1);
        return taken;
    }

    private async Task<Taken> FindAsync(IPeer peer, int round, string format, int count)
    {
        if (found.Remove((peer, $"{count} {format}"), out var earlier))
            await earlier.DisposeAsync();
        var path = folder.Of(peer, $"{format}-{count}-{round}");
        SampleFiles.Make(path, format, count);
        await Task.Delay(Settled);
        return await TimeAsync(async () => found[(peer, $"{count} {format}")] = await peer.CreatePoolAsync($"{format}-{count}-{round + 1}", path));
    }

    private async Task<Taken> RefreshAsync(IPeer peer, string format, int count, bool onHost)
    {
        TimeSpan? host = null;
        var all = await TimeAsync(async () => host = await found[(peer, $"{count} {format}")].RefreshAsync());
        return onHost && host is { } wall ? new Taken(wall) : all;
    }

    private Task<Taken> CycleAsync(IPeer peer, int round)
    {
        List<(string, string)> cycled = [.. Enumerable.Range(0, 200).Select(i => ($"cycle-{round + 1}-{i}", folder.Of(peer, $"cycle-{round}-{i}")))];
        return TimeAsync(() => peer.CyclePoolsAsync(cycled, Clients));
    }

    private async Task<Taken> ReadAsync(IPeer peer, int round)
    {
        var pool = await FoundAsync(peer);
        return await TimeAsync(() => pool.ReadAsync(Names(5000), Clients));
    }

    private async Task<Taken> ListAsync(IPeer peer, int round)
    {
        var pool = await FoundAsync(peer);
        return await TimeAsync(async () => Require(10_000, await pool.ListAsync()));
    }

    /// <summary>The pool of what was found last; it is found now where that is not among the works that are wanted.</summary>
    private async Task<IPeerPool> FoundAsync(IPeer peer)
    {
        if (!found.ContainsKey((peer, "10000 raw")))
            await FindAsync(peer, 0, "raw", 10_000);
        return found[(peer, "10000 raw")];
    }

    private static IReadOnlyList<string> Names(int count) => [.. Enumerable.Range(0, count).Select(i => $"volume-{i:000000}")];

    /// <summary>As many as it is fastest with: libvirtd serves eight as fast as more, and Storage takes what waits together.</summary>
    private static int ClientsOf(IPeer peer) => peer is LibvirtPeer ? Clients : InFlight;

    private static async Task<Taken> TimeAsync(Func<Task> action)
    {
        var began = Stopwatch.GetTimestamp();
        await action();
        return new Taken(Stopwatch.GetElapsedTime(began));
    }

    private static void Require(int expected, int seen)
    {
        if (expected != seen)
            throw new InvalidOperationException($"{seen} volumes are listed, not {expected}.");
    }

    /// <summary>A directory with 1 GiB of content that no two blocks share.</summary>
    private static string BigFile(string path)
    {
        Directory.CreateDirectory(path);
        var content = new byte[MiB];
        using var file = File.Create(Path.Combine(path, Big));
        for (var i = 0; i < GiB / MiB; i++)
        {
            Random.Shared.NextBytes(content);
            file.Write(content);
        }
        file.Flush(flushToDisk: true);
        return path;
    }
}
