using System.Text.Json.Serialization;

namespace Storage.Contracts;

/// <summary>
/// A message that could not be handled, sent to <see cref="Queues.DeadLetters"/> before it is acknowledged. Without secrets, and of
/// bounded size.
/// </summary>
/// <param name="Id">New for each time that a message dies.</param>
/// <param name="Queue">The queue that it came from.</param>
/// <param name="Fingerprint">The same for every delivery of one message: SHA-256 of queue, id, replay and whole body.</param>
/// <param name="DiedAt">UTC.</param>
/// <param name="Error">Why: <c>invalid-document</c> cannot be read, <c>unsupported</c> is of a type that the queue does not take,
/// <c>internal</c> failed in a way that nobody foresaw; else why it was refused.</param>
/// <param name="ExceptionType">The full name of the exception's type.</param>
/// <param name="MessageType">What the envelope or the AMQP type says.</param>
/// <param name="MessageId">What the AMQP property or the envelope says.</param>
/// <param name="ContentType">The AMQP content type.</param>
/// <param name="Headers">At most 64, each at most 4,096 characters.</param>
/// <param name="Body">At most 262,144 bytes.</param>
/// <param name="BodyLength">How long it was, in bytes.</param>
/// <param name="Masked">Secrets were removed from the body, so that it is not what came.</param>
/// <param name="ReplayOf">The letter whose replay it is.</param>
public sealed record DeadLetter(
    Guid Id,
    string Queue,
    string Fingerprint,
    DateTimeOffset DiedAt,
    StorageError Error,
    string? ExceptionType,
    string? MessageType,
    string? MessageId,
    string? ContentType,
    IReadOnlyDictionary<string, string> Headers,
    byte[] Body,
    long BodyLength,
    bool Masked,
    Guid? ReplayOf = null);

/// <summary>What became of a dead letter.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<DeadLetterState>))]
public enum DeadLetterState
{
    /// <summary>Nobody has decided.</summary>
    [JsonStringEnumMemberName("open")] Open,

    /// <summary>It was sent to its queue again.</summary>
    [JsonStringEnumMemberName("replayed")] Replayed,

    /// <summary>It is not wanted.</summary>
    [JsonStringEnumMemberName("discarded")] Discarded,
}
