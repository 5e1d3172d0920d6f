using Microsoft.Extensions.Logging;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// What this host can do for each pool type of the family. Probing runs tools, so the answer is kept for a while; a tool that is
/// installed, replaced or removed is noticed at once.
/// </summary>
internal sealed class PoolTypeProbe(PoolBackends backends, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan KeepFor = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    private IReadOnlyList<PoolTypeSupport> support = [];
    private long probedAt;
    private string? toolsSeen;

    public async Task<IReadOnlyList<PoolTypeSupport>> ReadAsync(CancellationToken cancellationToken)
    {
        if (toolsSeen is not null && time.GetElapsedTime(probedAt) < KeepFor && toolsSeen == Tools())
            return support;
        var probed = await Task.WhenAll(backends.All.OrderBy(backend => backend.Type).Select(backend => ProbeAsync(backend, cancellationToken)));
        foreach (var row in probed.Where(row => support.FirstOrDefault(known => known.Type == row.Type)?.Available != row.Available))
            WorkerLog.Probed(log, row.Type, row.Available, row.Reason);
        support = probed;
        probedAt = time.GetTimestamp();
        toolsSeen = Tools();
        return support;
    }

    private async Task<PoolTypeSupport> ProbeAsync(IPoolBackend backend, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Deadline);
        try
        {
            return await Task.Run(() => backend.ProbeAsync(deadline.Token), deadline.Token).WaitAsync(deadline.Token);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            WorkerLog.ProbeFailed(log, e, backend.Type);
            var reason = e is OperationCanceledException ? $"The host's tools did not answer within {Deadline.TotalSeconds} s." : e.Message;
            return new PoolTypeSupport(backend.Type, Available: false, reason, [], [], []);
        }
    }

    /// <summary>Where the tools are found now, and of what time their files are.</summary>
    private string Tools() => string.Join('\n', support.SelectMany(row => row.Tools).Select(tool => tool.Name).Distinct().Select(name =>
        Locate(name) is { } path ? $"{path} {File.GetLastWriteTimeUtc(path).Ticks}" : name));

    private static string? Locate(string tool) => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .Select(folder => Path.Combine(folder, tool))
        .FirstOrDefault(File.Exists);
}
