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

/// <param name="Percent">0 to 100; null where the end is not known.</param>
public sealed record OperationProgress(double? Percent, long? BytesDone = null, long? BytesTotal = null);
