using Microsoft.Extensions.Options;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>Section <c>Worker</c>; <c>Worker:{family}</c> overrides it where several families share a process.</summary>
public sealed class WorkerOptions
{
    public const string Section = "Worker";

    /// <summary>The name of this host in queues, events and definitions.</summary>
    public string Host { get; set; } = Environment.MachineName.ToLowerInvariant();

    /// <summary>Where the journals are: each family has its own folder in it, <c>/var/lib/storage/file</c> and so on.</summary>
    public string StateFolder { get; set; } = "/var/lib/storage";

    /// <summary>How often the worker says that it is there; well below the inventory's <c>Ledger:LostAfter</c>.</summary>
    public TimeSpan AnnounceInterval { get; set; } = WorkerAnnouncement.Interval;

    /// <summary>Runs of one pool side by side: those that wait for its disk at the same time are often served by one write.</summary>
    public int ConcurrentRunsPerPool { get; set; } = 8;

    /// <summary>A call to a pool's storage that gives no sign for so long is abandoned: the run fails and can be tried again.</summary>
    public TimeSpan StorageAnswerLimit { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>With so many abandoned calls that still hang, a pool's runs are refused at once.</summary>
    public int HungCallsPerPool { get; set; } = 4;

    /// <summary>
    /// Threads of a pool that read its files side by side in a refresh, for storage that makes each of them wait. One reads them one after the
    /// other.
    /// </summary>
    public int RefreshReaders { get; set; } = 4;

    /// <summary>
    /// Directories, files and devices (below <c>/dev</c>) beside the directories of pools in which backing stores may lie: absolute paths
    /// without symbolic links.
    /// </summary>
    public IReadOnlyList<string> BackingStores { get; set; } = [];

    /// <summary>The journal waits for the disk. Otherwise it survives the death of the process, not that of the host.</summary>
    public bool PowerLossSafe { get; set; }

    /// <summary>Ended runs that the journal keeps, to answer redeliveries.</summary>
    public int KeepRuns { get; set; } = 50_000;

    /// <summary>And for how long at most.</summary>
    public TimeSpan KeepRunsFor { get; set; } = TimeSpan.FromDays(7);

    internal LaneLimits LaneLimits => new(StorageAnswerLimit, HungCallsPerPool) { Readers = RefreshReaders };

    public string FamilyFolder(PoolFamily family) => Path.Combine(StateFolder, family.ToString().ToLowerInvariant());
}

/// <summary>What would break later, refused at start.</summary>
internal sealed class WorkerOptionsValidator : IValidateOptions<WorkerOptions>
{
    private const int HostLimit = 253;

    public ValidateOptionsResult Validate(string? name, WorkerOptions options)
    {
        var failures = new List<string>();
        if (options.Host.Length is 0 or > HostLimit || !options.Host.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_'))
            failures.Add($"Worker:Host '{options.Host}' is not a host name: up to {HostLimit} letters, digits, '.', '-' and '_'.");
        if (!Path.IsPathFullyQualified(options.StateFolder))
            failures.Add($"Worker:StateFolder '{options.StateFolder}' is not an absolute path.");
        foreach (var place in options.BackingStores.Where(place => !place.StartsWith('/') || Path.GetFullPath(place) != place))
            failures.Add($"Worker:BackingStores: '{place}' is not an absolute path without '.', '..' and empty parts.");
        if (options.AnnounceInterval < TimeSpan.FromMilliseconds(100) || options.AnnounceInterval > TimeSpan.FromMinutes(1))
            failures.Add("Worker:AnnounceInterval is from a tenth of a second to a minute.");
        if (options.ConcurrentRunsPerPool is < 1 or > 1024)
            failures.Add("Worker:ConcurrentRunsPerPool is from 1 to 1024.");
        if (options.StorageAnswerLimit < TimeSpan.FromSeconds(1) || options.StorageAnswerLimit > TimeSpan.FromHours(1))
            failures.Add("Worker:StorageAnswerLimit is from a second to an hour.");
        if (options.HungCallsPerPool is < 1 or > 1024)
            failures.Add("Worker:HungCallsPerPool is from 1 to 1024.");
        if (options.RefreshReaders is < 1 or > 64)
            failures.Add("Worker:RefreshReaders is from 1 to 64.");
        if (options.KeepRuns < 1000)
            failures.Add("Worker:KeepRuns is at least 1000.");
        if (options.KeepRunsFor < TimeSpan.FromHours(1))
            failures.Add("Worker:KeepRunsFor is at least an hour.");
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
