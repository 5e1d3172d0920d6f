using Storage.Contracts;

namespace Storage.Worker;

/// <summary>Runs one command: does it, and says in the context what became true. Throws when it failed.</summary>
public delegate Task RunHandler(RunContext context, CancellationToken cancellationToken);

/// <summary>The commands that a worker runs, by name.</summary>
public static class CommandHandlers
{
    public static IReadOnlyDictionary<string, RunHandler> All { get; } = new Dictionary<string, RunHandler>(StringComparer.Ordinal)
    {
        [nameof(DefinePool)] = PoolHandlers.StartAsync, // Comes here only for a transient pool: its definition is its start.
        [nameof(BuildPool)] = PoolHandlers.BuildAsync,
        [nameof(StartPool)] = PoolHandlers.StartAsync,
        [nameof(StopPool)] = PoolHandlers.StopAsync,
        [nameof(RefreshPool)] = PoolHandlers.RefreshAsync,
        [nameof(DeletePool)] = PoolHandlers.DeleteAsync,
        [nameof(FindPoolSources)] = PoolHandlers.FindSourcesAsync,
        [nameof(CreateVolume)] = VolumeHandlers.CreateAsync,
        [nameof(CreateVolumes)] = VolumeBatchHandler.CreateAsync,
        [nameof(DeleteVolume)] = VolumeHandlers.DeleteAsync,
        [nameof(RefreshVolume)] = VolumeHandlers.RefreshAsync,
    };

    /// <exception cref="StorageException"><see cref="ErrorCodes.Unsupported"/> for a command that no handler runs.</exception>
    public static RunHandler Require(string command) => All.GetValueOrDefault(command)
        ?? throw new StorageException(ErrorCodes.Unsupported, $"This worker does not run '{command}'.");
}
