using Storage.Contracts;

namespace Storage.Worker;

/// <summary>Runs one command: does it, and says in the context what became true. Throws when it failed.</summary>
public delegate Task RunHandler(RunContext context, CancellationToken cancellationToken);

/// <param name="RunAsync">Runs it.</param>
public sealed record CommandHandler(RunHandler RunAsync)
{
    /// <summary>Says what it means for the pool when its storage does not answer.</summary>
    public Action<RunContext, StorageError> Unanswered { get; init; } = (_, _) => { };

    /// <summary>It may be what makes storage that hangs answer again.</summary>
    public bool Frees { get; init; }
}

/// <summary>The commands that a worker runs, by name.</summary>
public static class CommandHandlers
{
    public static IReadOnlyDictionary<string, CommandHandler> All { get; } = new Dictionary<string, CommandHandler>(StringComparer.Ordinal)
    {
        [nameof(DefinePool)] = new(PoolHandlers.StartAsync), // Comes here only for a transient pool: its definition is its start.
        [nameof(BuildPool)] = new(PoolHandlers.BuildAsync),
        [nameof(StartPool)] = new(PoolHandlers.StartAsync),
        [nameof(StopPool)] = new(PoolHandlers.StopAsync) { Frees = true },
        [nameof(RefreshPool)] = new(PoolHandlers.RefreshAsync) { Unanswered = PoolHandlers.IsInaccessible },
        [nameof(DeletePool)] = new(PoolHandlers.DeleteAsync),
        [nameof(FindPoolSources)] = new(PoolHandlers.FindSourcesAsync),
        [nameof(CreateVolume)] = new(VolumeHandlers.CreateAsync),
        [nameof(CreateVolumes)] = new(VolumeBatchHandler.CreateAsync),
        [nameof(CloneVolume)] = new(VolumeHandlers.CloneAsync),
        [nameof(ResizeVolume)] = new(VolumeHandlers.ResizeAsync),
        [nameof(WipeVolume)] = new(VolumeHandlers.WipeAsync),
        [nameof(MergeVolume)] = new(VolumeHandlers.MergeAsync),
        [nameof(DeleteVolume)] = new(VolumeHandlers.DeleteAsync),
        [nameof(DeleteVolumes)] = new(VolumeBatchDeletion.RunAsync),
        [nameof(RefreshVolume)] = new(VolumeHandlers.RefreshAsync),
    };

    /// <exception cref="StorageException"><see cref="ErrorCodes.Unsupported"/> for a command that no handler runs.</exception>
    public static CommandHandler Require(string command) => All.GetValueOrDefault(command)
        ?? throw new StorageException(ErrorCodes.Unsupported, $"This worker does not run '{command}'.");
}
