using System.Collections.Concurrent;
using System.Globalization;
using Storage.Contracts;
using Storage.Worker;

namespace Storage.Benchmarks.Inventory;

/// <summary>
/// Stands in for directories of raw files that there are not: each pool lists as many. What is reported of them is what the worker would report
/// of files, without the time to look at them. Nobody watches them.
/// </summary>
internal sealed class ListedPool(ListedFiles files) : IPoolBackend
{
    public PoolType Type => PoolType.Dir;

    public Task<PoolTypeSupport> ProbeAsync(CancellationToken cancellationToken) => Task.FromResult(
        new PoolTypeSupport(Type, Available: true, Reason: null, BackendOperations.Of(this), [new FormatSupport("raw", true)], []));

    public Task<PoolState> CheckAsync(PoolDefinition pool, CancellationToken cancellationToken) => Task.FromResult(PoolState.Running);

    public async Task<PoolObservation> RefreshAsync(
        PoolDefinition pool, Func<VolumeDefinition, ValueTask> onVolume, Run run, CancellationToken cancellationToken)
    {
        for (var i = 0; i < files.PerPool; i++)
            await onVolume(files.Read(pool, i));
        return new PoolObservation(PoolState.Running, 1L << 40, 0, 1L << 40, Volumes: files.PerPool);
    }

    public Task<VolumeDefinition?> ReadVolumeAsync(PoolDefinition pool, string volume, CancellationToken cancellationToken) =>
        Task.FromResult<VolumeDefinition?>(files.Read(pool, int.Parse(volume.Split('-')[1], CultureInfo.InvariantCulture)));
}

/// <summary>What lies in the pools of all simulated hosts.</summary>
internal sealed class ListedFiles(int perPool)
{
    private static readonly DateTimeOffset Made = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly ConcurrentDictionary<string, int> written = new(StringComparer.Ordinal);

    public int PerPool => perPool;

    public static string Name(int number) => string.Create(CultureInfo.InvariantCulture, $"volume-{number:0000}");

    /// <summary>Every file of the pool has grown.</summary>
    public void Write(string pool) => written.AddOrUpdate(pool, 1, (_, times) => times + 1);

    public VolumeDefinition Read(PoolDefinition pool, int number)
    {
        var times = written.GetValueOrDefault(pool.Name!);
        var (path, seen) = ($"{pool.Target.Path}/{Name(number)}", Made.AddSeconds(number).AddMinutes(times));
        return new VolumeDefinition
        {
            Name = Name(number),
            Key = path,
            Path = path,
            Type = VolumeKind.File,
            Format = "raw",
            Capacity = 1 << 30,
            Allocation = times << 20,
            Physical = 1 << 30,
            Permissions = new Permissions(Convert.ToInt32("600", 8), 0, 0),
            Timestamps = new Timestamps(seen, seen, seen, Made),
        };
    }
}
