namespace Storage.Benchmarks.Libvirt;

/// <summary>One of the two that are compared, with all its servers, started for the comparison alone.</summary>
internal interface IPeer : IAsyncDisposable
{
    string Name { get; }

    /// <summary>Processor time of all its server processes so far, with that of tools that have ended.</summary>
    TimeSpan Cpu { get; }

    /// <summary>A started directory pool.</summary>
    Task<IPeerPool> CreatePoolAsync(string name, string path);

    /// <summary>Defines, builds, starts, stops and undefines directory pools, from as many clients at a time.</summary>
    Task CyclePoolsAsync(IReadOnlyList<(string Name, string Path)> pools, int clients);
}

/// <summary>What is done with the volumes of a pool. Each call ends when all of it is done and visible to the peer's own clients.</summary>
internal interface IPeerPool : IAsyncDisposable
{
    /// <returns>How long each took.</returns>
    Task<IReadOnlyCollection<TimeSpan>> CreateAsync(IReadOnlyList<NewVolume> volumes, int clients);

    /// <summary>In as few calls as the peer allows.</summary>
    Task CreateTogetherAsync(IReadOnlyList<NewVolume> volumes);

    /// <summary>So many each second, however long one takes.</summary>
    /// <returns>Null, with nothing created, where the peer has no events of volumes.</returns>
    Task<CreatedOnSchedule?> CreateOnScheduleAsync(IReadOnlyList<NewVolume> volumes, int perSecond);

    Task DeleteAsync(IReadOnlyList<string> names, int clients);

    /// <summary>In as few calls as the peer allows.</summary>
    Task DeleteTogetherAsync(IReadOnlyList<string> names);

    Task CloneAsync(string source, NewVolume target, bool reflink);

    /// <returns>The part that was spent on the host, where it is known.</returns>
    Task<TimeSpan?> RefreshAsync();

    /// <summary>Looks up each by its name and reads it.</summary>
    Task ReadAsync(IReadOnlyList<string> names, int clients);

    /// <returns>How many there are.</returns>
    Task<int> ListAsync();
}

/// <summary>A sparse volume.</summary>
/// <param name="Capacity">In bytes.</param>
internal sealed record NewVolume(string Name, string Format, long Capacity);
