using System.Text.Json;
using Storage.Contracts;
using Storage.Ledger;

namespace Storage.Api;

/// <summary>A host.</summary>
/// <param name="Host">Its name.</param>
/// <param name="Lost">None of its workers has been heard of lately.</param>
/// <param name="LastSeenAt">When one of them was last heard of.</param>
/// <param name="Workers">One for each family that it serves.</param>
public sealed record HostView(string Host, bool Lost, DateTimeOffset LastSeenAt, IReadOnlyList<WorkerView> Workers)
{
    public static HostView Of(string host, IEnumerable<WorkerRow> rows)
    {
        var workers = rows.OrderBy(row => row.Family).Select(WorkerView.Of).ToList();
        return new HostView(host, workers.All(worker => worker.Lost), workers.Max(worker => worker.LastSeenAt), workers);
    }
}

/// <summary>The worker of one family on a host.</summary>
/// <param name="Instance">New for every start of the process.</param>
/// <param name="PoolTypes">What it can do for each type, with the tools found and the reason for what it cannot.</param>
public sealed record WorkerView(
    string Host,
    PoolFamily Family,
    Guid Instance,
    string Version,
    DateTimeOffset StartedAt,
    DateTimeOffset LastSeenAt,
    bool Lost,
    IReadOnlyList<PoolTypeSupport> PoolTypes)
{
    public static WorkerView Of(WorkerRow row)
    {
        var announcement = JsonSerializer.Deserialize<WorkerAnnouncement>(row.Announcement, StorageJson.Options)!;
        return new WorkerView(
            row.Host, row.Family, row.Instance, announcement.Version, row.StartedAt, row.LastSeenAt, row.Lost, announcement.PoolTypes);
    }
}
