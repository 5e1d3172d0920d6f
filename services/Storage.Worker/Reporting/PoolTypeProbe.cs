using Microsoft.Extensions.Logging;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// What this host can do for each pool type of the family. Probing runs tools, so the answer is kept for a while; a tool that is
/// installed, replaced or removed is noticed at once, and a type that gave no answer is asked again with the next announcement: a host that
/// comes up with much to do would else do without its pools for all that time.
/// </summary>
internal sealed class PoolTypeProbe(PoolBackends backends, LaneLimits limits, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan KeepFor = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    private readonly Dictionary<PoolType, Lane> lanes = backends.All.ToDictionary(
        backend => backend.Type, backend => new Lane($"the tools of {PoolTypes.Of(backend.Type).Name} pools", limits, time, log));

    private readonly Lane programs = new("PATH", limits, time, log);

    private IReadOnlyList<PoolTypeSupport> support = [];
    private long probedAt;
    private string? toolsSeen;

    public async Task<IReadOnlyList<PoolTypeSupport>> ReadAsync(CancellationToken cancellationToken)
    {
        if (toolsSeen is not null && time.GetElapsedTime(probedAt) < KeepFor && toolsSeen == await ToolsAsync(cancellationToken))
            return support;
        var probed = await Task.WhenAll(backends.All.OrderBy(backend => backend.Type).Select(backend => ProbeAsync(backend, cancellationToken)));
        var told = probed.Select(row => row.Support).ToList();
        foreach (var row in told.Where(row => support.FirstOrDefault(known => known.Type == row.Type)?.Available != row.Available))
            WorkerLog.Probed(log, row.Type, row.Available, row.Reason);
        support = told;
        probedAt = time.GetTimestamp();
        toolsSeen = probed.All(row => row.Answered) ? await ToolsAsync(cancellationToken) : null;
        return support;
    }

    private async Task<(PoolTypeSupport Support, bool Answered)> ProbeAsync(IPoolBackend backend, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Deadline);
        try
        {
            PoolTypeSupport? probed = null;
            var unanswered = await lanes[backend.Type].RunAsync(
                async token => probed = await backend.ProbeAsync(token), frees: false, deadline.Token).WaitAsync(deadline.Token);
            return unanswered is null ? (probed!, true) : throw new StorageException(unanswered);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            WorkerLog.ProbeFailed(log, e, backend.Type);
            var reason = e is OperationCanceledException ? $"The host's tools did not answer within {Deadline.TotalSeconds} s." : e.Message;
            return (new PoolTypeSupport(backend.Type, Available: false, reason, [], [], []), false);
        }
    }

    /// <summary>The tools that are found now; where looking for them hangs, those that were found last.</summary>
    private async Task<string?> ToolsAsync(CancellationToken cancellationToken)
    {
        var tools = toolsSeen;
        await programs.RunAsync(
            _ =>
            {
                tools = Tools();
                return Task.CompletedTask;
            },
            frees: false, cancellationToken);
        return tools;
    }

    /// <summary>Where the tools are found now, and of what time their files are.</summary>
    private string Tools() => string.Join('\n', support.SelectMany(row => row.Tools).Select(tool => tool.Name).Distinct().Select(name =>
        Locate(name) is { } path ? $"{path} {File.GetLastWriteTimeUtc(path).Ticks}" : name));

    private static string? Locate(string tool) => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .Select(folder => Path.Combine(folder, tool))
        .FirstOrDefault(File.Exists);
}
