namespace Storage.Contracts;

/// <summary>What a command acts on, and so what it excludes while it runs.</summary>
public enum CommandScope
{
    /// <summary>Another operation.</summary>
    Operation,

    /// <summary>A host; excludes nothing.</summary>
    Host,

    /// <summary>A pool as a whole; excludes everything else in that pool.</summary>
    Pool,

    /// <summary>One or more volumes of a pool; volumes of a pool run side by side.</summary>
    Volume,
}

/// <param name="Name">The command's name on the wire.</param>
/// <param name="Type">Its record.</param>
/// <param name="Scope">What it acts on.</param>
/// <param name="Needs">What the pool's type must be able to do.</param>
/// <param name="RunsOnHost">A worker runs it; otherwise the ledger does.</param>
public sealed record CommandType(string Name, Type Type, CommandScope Scope, PoolOperations Needs, bool RunsOnHost);

/// <summary>The table of all commands, by name.</summary>
public static class CommandTypes
{
    public static IReadOnlyList<CommandType> All { get; } =
    [
        new(nameof(DefinePool), typeof(DefinePool), CommandScope.Pool, PoolOperations.None, RunsOnHost: false),
        new(nameof(BuildPool), typeof(BuildPool), CommandScope.Pool, PoolOperations.Build, RunsOnHost: true),
        new(nameof(StartPool), typeof(StartPool), CommandScope.Pool, PoolOperations.None, RunsOnHost: true),
        new(nameof(StopPool), typeof(StopPool), CommandScope.Pool, PoolOperations.None, RunsOnHost: true),
        new(nameof(RefreshPool), typeof(RefreshPool), CommandScope.Pool, PoolOperations.None, RunsOnHost: true),
        new(nameof(DeletePool), typeof(DeletePool), CommandScope.Pool, PoolOperations.Delete, RunsOnHost: true),
        new(nameof(UndefinePool), typeof(UndefinePool), CommandScope.Pool, PoolOperations.None, RunsOnHost: false),
        new(nameof(SetPoolAutostart), typeof(SetPoolAutostart), CommandScope.Pool, PoolOperations.None, RunsOnHost: false),
        new(nameof(FindPoolSources), typeof(FindPoolSources), CommandScope.Host, PoolOperations.FindSources, RunsOnHost: true),
        new(nameof(CreateVolume), typeof(CreateVolume), CommandScope.Volume, PoolOperations.CreateVolume, RunsOnHost: true),
        new(nameof(CreateVolumes), typeof(CreateVolumes), CommandScope.Volume, PoolOperations.CreateVolume, RunsOnHost: true),
        new(nameof(CloneVolume), typeof(CloneVolume), CommandScope.Volume, PoolOperations.CloneVolume, RunsOnHost: true),
        new(nameof(ResizeVolume), typeof(ResizeVolume), CommandScope.Volume, PoolOperations.ResizeVolume, RunsOnHost: true),
        new(nameof(WipeVolume), typeof(WipeVolume), CommandScope.Volume, PoolOperations.WipeVolume, RunsOnHost: true),
        new(nameof(MergeVolume), typeof(MergeVolume), CommandScope.Volume, PoolOperations.MergeVolume, RunsOnHost: true),
        new(nameof(DeleteVolume), typeof(DeleteVolume), CommandScope.Volume, PoolOperations.DeleteVolume, RunsOnHost: true),
        new(nameof(DeleteVolumes), typeof(DeleteVolumes), CommandScope.Volume, PoolOperations.DeleteVolume, RunsOnHost: true),
        new(nameof(RefreshVolume), typeof(RefreshVolume), CommandScope.Volume, PoolOperations.None, RunsOnHost: true),
        new(nameof(CancelOperation), typeof(CancelOperation), CommandScope.Operation, PoolOperations.None, RunsOnHost: false),
    ];

    private static readonly Dictionary<string, CommandType> ByName = All.ToDictionary(command => command.Name, StringComparer.Ordinal);

    /// <summary>The row of a command's name, or null for an unknown name.</summary>
    public static CommandType? Find(string name) => ByName.GetValueOrDefault(name);

    /// <summary>Whether a worker takes part. A transient pool is started as it is defined.</summary>
    public static bool RunsOnHost(ICommand command) => command is DefinePool { Transient: true } || Of(command).RunsOnHost;

    public static CommandType Of(ICommand command) => ByName[command.GetType().Name];
}
