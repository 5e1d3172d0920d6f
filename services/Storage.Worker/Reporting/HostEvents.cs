using Storage.Contracts;

namespace Storage.Worker;

/// <summary>Makes the events of this host: each with a new id, the time and the next revision.</summary>
public sealed class HostEvents(string host, RevisionClock clock, TimeProvider time)
{
    public string Host { get; } = host;

    /// <summary>A revision for an event that says what is seen from now on.</summary>
    public long NextRevision() => clock.Next();

    public StorageEvent Create<T>(string resource, T data, EventCause cause, Guid? operation = null, long? revision = null) => new(
        Guid.CreateVersion7(), typeof(T).Name, resource, revision ?? clock.Next(), time.GetUtcNow(), Host, cause, operation, StorageJson.ToElement(data));

    /// <summary>An event about an operation itself.</summary>
    public StorageEvent Create<T>(OperationRun operation, T data) =>
        Create(Resources.Operation(operation.OperationId), data, operation.Cause, operation.OperationId);
}
