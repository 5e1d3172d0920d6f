using System.Text.Json.Serialization;

namespace Storage.Contracts;

/// <summary>queued → dispatched → running → one of the four ends.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<OperationState>))]
public enum OperationState
{
    [JsonStringEnumMemberName("queued")] Queued,
    [JsonStringEnumMemberName("dispatched")] Dispatched,
    [JsonStringEnumMemberName("running")] Running,
    [JsonStringEnumMemberName("succeeded")] Succeeded,
    [JsonStringEnumMemberName("failed")] Failed,
    [JsonStringEnumMemberName("cancelled")] Cancelled,
    [JsonStringEnumMemberName("expired")] Expired,
}

/// <summary>How far an operation has come: told about once a second while it runs for longer than that.</summary>
/// <param name="Percent">0 to 100; null where the end is not known.</param>
/// <param name="BytesDone">Bytes written or read so far; null where they are not known.</param>
/// <param name="BytesTotal">Of so many.</param>
/// <param name="BytesPerSecond">The rate of late; null where it is not known.</param>
public sealed record OperationProgress(double? Percent, long? BytesDone = null, long? BytesTotal = null, long? BytesPerSecond = null);
