using Storage.Contracts;
using Storage.Worker;

namespace Storage.Tests;

/// <summary>A backend whose host is a dictionary. It outlives the workers that use it, as a real host does.</summary>
internal sealed class InMemoryBackend : IPoolBuilder, IPoolDeleter, IVolumeCreator, IVolumeDeleter, IVolumeResizer, IVolumeWiper, IVolumeUsers, ISourceFinder
{
    private readonly Lock gate = new();
    private readonly SortedDictionary<string, VolumeDefinition> volumes = new(Utf8Order.Comparer);
    private readonly List<string> unfinished = [];

    public PoolType Type { get; init; } = PoolType.Dir;

    public PoolState State { get; set; } = PoolState.Running;

    /// <summary>What happens after the checks of a creation, when the host is being changed.</summary>
    public Func<VolumeDefinition, Run, CancellationToken, Task> Creating { get; set; } = (_, _, _) => Task.CompletedTask;

    public Func<string, Task> Deleting { get; set; } = _ => Task.CompletedTask;

    /// <summary>What happens when a volume has been resized or overwritten.</summary>
    public Func<string, CancellationToken, Task> Changing { get; set; } = (_, _) => Task.CompletedTask;

    /// <summary>What happens before that, when a volume is to be overwritten.</summary>
    public Func<Run, Task> Wiping { get; set; } = _ => Task.CompletedTask;

    public Func<CancellationToken, Task> Checking { get; set; } = _ => Task.CompletedTask;

    public Func<CancellationToken, Task> Probing { get; set; } = _ => Task.CompletedTask;

    /// <summary>Who uses volumes, by their names.</summary>
    public Dictionary<string, string> Users { get; } = [];

    /// <summary>The runs that began to create something.</summary>
    public List<(string Volume, bool Resumed)> Creations { get; } = [];

    public int Checks { get; private set; }

    public string[] Names
    {
        get
        {
            lock (gate)
                return [.. volumes.Keys];
        }
    }

    /// <summary>What cut-off creations have left.</summary>
    public string[] Unfinished
    {
        get
        {
            lock (gate)
                return [.. unfinished];
        }
    }

    public void Put(params IEnumerable<string> names) => Put([.. names.Select(name => new VolumeDefinition { Name = name, Capacity = 1 })]);

    public void Put(params VolumeDefinition[] made)
    {
        lock (gate)
        {
            foreach (var volume in made)
                volumes[volume.Name] = volume;
        }
    }

    public void PutUnfinished(string name) => unfinished.Add(name);

    public async Task<PoolTypeSupport> ProbeAsync(CancellationToken cancellationToken)
    {
        await Probing(cancellationToken);
        return new PoolTypeSupport(Type, true, null, [], [], []);
    }

    public async Task<PoolState> CheckAsync(PoolDefinition pool, CancellationToken cancellationToken)
    {
        lock (gate)
            Checks++;
        await Checking(cancellationToken);
        return State;
    }

    public async Task<PoolObservation> RefreshAsync(
        PoolDefinition pool, Func<VolumeDefinition, ValueTask> onVolume, Run run, CancellationToken cancellationToken)
    {
        foreach (var name in Names)
            await onVolume(new VolumeDefinition { Name = name, Capacity = 1 });
        return new PoolObservation(State, 100, 10, 90, Volumes: Names.Length);
    }

    public Task<VolumeDefinition?> ReadVolumeAsync(PoolDefinition pool, string volume, CancellationToken cancellationToken)
    {
        lock (gate)
            return Task.FromResult(volumes.GetValueOrDefault(volume));
    }

    public Task<IReadOnlyList<PoolSource>> FindSourcesAsync(PoolSource? where, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<PoolSource>>([new PoolSource { Dir = "/srv" }]);

    public Task BuildAsync(PoolDefinition pool, bool overwrite, Run run, CancellationToken cancellationToken) => run.BeginAsync(cancellationToken);

    public Task DeleteAsync(PoolDefinition pool, Run run, CancellationToken cancellationToken) => run.BeginAsync(cancellationToken);

    public async Task<VolumeDefinition> CreateVolumeAsync(
        PoolDefinition pool, VolumeDefinition volume, Run run, CancellationToken cancellationToken)
    {
        lock (gate)
        {
            if (volumes.TryGetValue(volume.Name, out var there))
                return run.Resumed ? there : throw new StorageException(ErrorCodes.VolumeExists, $"'{volume.Name}' exists.");
        }
        await run.BeginAsync(cancellationToken);
        lock (gate)
        {
            Creations.Add((volume.Name, run.Resumed));
            if (!unfinished.Contains(volume.Name))
                unfinished.Add(volume.Name);
        }
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            await Creating(volume, run, cancellationToken);
            Put(volume.Name);
        }
        finally
        {
            lock (gate)
                unfinished.Remove(volume.Name);
        }
        return volume;
    }

    public Task RequireUnusedAsync(PoolDefinition pool, string volume, CancellationToken cancellationToken) => Users.TryGetValue(volume, out var user)
        ? throw new StorageException(ErrorCodes.InUse, $"{volume} is in use by {user}.")
        : Task.CompletedTask;

    public async Task DeleteVolumeAsync(PoolDefinition pool, string volume, Run run, CancellationToken cancellationToken)
    {
        await Deleting(volume);
        lock (gate)
            volumes.Remove(volume);
    }

    public async Task<VolumeDefinition> ResizeVolumeAsync(
        PoolDefinition pool, string volume, VolumeResize resize, Run run, CancellationToken cancellationToken)
    {
        await run.BeginAsync(cancellationToken);
        lock (gate)
            volumes[volume] = volumes[volume] with { Capacity = resize.To };
        await Changing(volume, cancellationToken);
        return volumes[volume];
    }

    public async Task<VolumeDefinition> WipeVolumeAsync(
        PoolDefinition pool, string volume, WipeAlgorithm algorithm, Run run, CancellationToken cancellationToken)
    {
        await run.BeginAsync(cancellationToken);
        lock (gate)
            volumes[volume] = volumes[volume] with { Format = "raw" };
        await Wiping(run);
        await Changing(volume, cancellationToken);
        return volumes[volume];
    }
}
