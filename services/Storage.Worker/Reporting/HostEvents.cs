using Storage.Contracts;

namespace Storage.Worker;

/// <summary>Makes the events of this host: each with a new id, the time and the next revision.</summary>
public sealed class HostEvents(string host, RevisionClock clock, TimeProvider time)
{
    public string Host { get; } = host;

    public StorageEvent Create<T>(string resource, T data, EventCause cause, Guid? operation = null) => new(
        Guid.CreateVersion7(), typeof(T).Name, resource, clock.Next(), time.GetUtcNow(), Host, cause, operation, StorageJson.ToElement(data));

    /// <summary>An event about an operation itself.</summary>
    public StorageEvent Create<T>(OperationRun operation, T data) =>
        Create(Resources.Operation(operation.OperationId), data, operation.Cause, operation.OperationId);
}
