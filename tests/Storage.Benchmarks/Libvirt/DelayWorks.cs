using System.Globalization;

namespace Storage.Benchmarks.Libvirt;

/// <summary>How long single things take, and at most may: half and 99 of 100 of them.</summary>
/// <param name="Mark">Milliseconds; null where there is none.</param>
/// <param name="Times">Empty where the peer has nothing of the kind.</param>
internal sealed record Delay(string Title, DelayMark? Mark, IReadOnlyCollection<TimeSpan> Times);

/// <param name="P50">Null where only the slowest matter.</param>
internal sealed record DelayMark(double? P50, double P99)
{
    public bool IsMissedBy(Percentiles seen) => seen.P50 > P50 || seen.P99 > P99;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{(P50 is { } half ? $"{half:0}" : "-")} / {P99:0}");
}

/// <summary>A piece of work whose single parts are timed.</summary>
/// <param name="RunAsync">Does it in a round; one run may show several delays.</param>
internal sealed record DelayWork(string Title, Func<IPeer, int, Task<IReadOnlyList<Delay>>> RunAsync);

internal sealed class DelayWorks(Func<IPeer, IPeerPool> poolOf)
{
    private const int Alone = 300;
    private const int PerSecond = 200;
    private const int Seconds = 15;
    private const long MiB = 1 << 20;

    /// <summary>ext4 without a journal looks through the inodes that were freed in the last five seconds whenever a file is made.</summary>
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(6);

    public IReadOnlyList<DelayWork> All =>
    [
        new("create a sparse raw volume, nothing else running", CreateAloneAsync),
        new($"create sparse raw volumes, {PerSecond} commands/s", CreateOnScheduleAsync),
    ];

    private async Task<IReadOnlyList<Delay>> CreateAloneAsync(IPeer peer, int round)
    {
        var (pool, volumes) = (poolOf(peer), Volumes("alone", round, Alone));
        await Task.Delay(Settling);
        var took = await pool.CreateAsync(volumes, clients: 1);
        await DeleteAsync(pool, volumes);
        return [new("create a sparse raw volume, nothing else running: from the request until it is visible", new DelayMark(8, 25), took)];
    }

    private async Task<IReadOnlyList<Delay>> CreateOnScheduleAsync(IPeer peer, int round)
    {
        var (pool, volumes) = (poolOf(peer), Volumes("scheduled", round, PerSecond * Seconds));
        if (await pool.CreateOnScheduleAsync(volumes, PerSecond) is not { } created)
            return [];
        await DeleteAsync(pool, volumes);
        return
        [
            new($"{PerSecond} commands/s: from done on the host until the event is read", new DelayMark(null, 100), created.Lags),
            new($"{PerSecond} commands/s: from the time a command is due until the event is read", null, created.Ends),
        ];
    }

    private static List<NewVolume> Volumes(string name, int round, int count) =>
        [.. Enumerable.Range(0, count).Select(i => new NewVolume($"{name}-{round + 1}-{i:0000}", "raw", MiB))];

    private static Task DeleteAsync(IPeerPool pool, List<NewVolume> volumes) => pool.DeleteAsync([.. volumes.Select(volume => volume.Name)], clients: 8);
}
