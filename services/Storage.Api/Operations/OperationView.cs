using System.Text.Json;
using Storage.Contracts;
using Storage.Ledger;

namespace Storage.Api;

/// <summary>An operation.</summary>
/// <param name="Id">The command's id.</param>
/// <param name="Command">The command's name.</param>
/// <param name="State">Where it is.</param>
/// <param name="Resource">What it acts on.</param>
/// <param name="Worker">The host whose worker has it, once one has; of cluster-scoped ones the replica that runs it.</param>
/// <param name="Position">How many older operations it must wait for; absent once it is dispatched.</param>
/// <param name="WaitsFor">The first ten of them.</param>
/// <param name="Waiting">Why it does not go on though nothing may stand before it: its worker is lost, and since when.</param>
/// <param name="EstimatedStartAt">
/// Now and the usual durations of those that it waits for, one after the other: each the median of the last fifty of its command and pool type that
/// succeeded, from dispatch to end. Late where they run side by side, early where they wait themselves; absent where one has no history.
/// </param>
/// <param name="Deadline">It expires when it has not begun by then.</param>
/// <param name="Progress">How far it is, where that can be said.</param>
/// <param name="Error">Why it failed.</param>
/// <param name="Result">What it found, where finding is its purpose; <c>{"volume": …}</c>, the name of a volume that was made without being given one.</param>
/// <param name="Cause">Who asked for it.</param>
public sealed record OperationView(
    Guid Id,
    string Command,
    OperationState State,
    string Resource,
    string? Worker,
    int? Position,
    IReadOnlyList<Guid>? WaitsFor,
    string? Waiting,
    DateTimeOffset? EstimatedStartAt,
    OperationProgress? Progress,
    StorageError? Error,
    JsonElement? Result,
    DateTimeOffset AcceptedAt,
    DateTimeOffset? DispatchedAt,
    DateTimeOffset? EndedAt,
    DateTimeOffset? Deadline,
    EventCause Cause)
{
    /// <summary>The operation by itself; what it waits for is not told.</summary>
    public static OperationView Of(OperationRow row) => new(
        row.Id,
        row.Command,
        row.State,
        row.Resource,
        row.DispatchedAt is null ? null : row.Worker ?? Queues.HostOf(row.Queue!),
        Position: null,
        WaitsFor: null,
        Waiting: null,
        EstimatedStartAt: null,
        Read<OperationProgress>(row.Progress),
        Read<StorageError>(row.Error),
        row.Result is null ? null : Read<JsonElement>(row.Result),
        row.AcceptedAt,
        row.DispatchedAt,
        row.EndedAt,
        row.Deadline,
        row.Cause);

    /// <summary>The error of an operation that ended without success.</summary>
    public static StorageError ErrorOf(OperationRow row) => Read<StorageError>(row.Error) ?? row.State switch
    {
        OperationState.Cancelled => new(ErrorCodes.Cancelled, "The operation was cancelled.", Resource: row.Resource),
        OperationState.Expired => new(ErrorCodes.Expired, "The operation was not run in time.", Resource: row.Resource, Retryable: true),
        _ => new(ErrorCodes.Internal, "The operation failed.", Resource: row.Resource),
    };

    private static T? Read<T>(string? json) => json is null ? default : JsonSerializer.Deserialize<T>(json, StorageJson.Options);
}
