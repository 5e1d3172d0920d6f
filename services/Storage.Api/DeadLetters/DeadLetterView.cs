using System.Text;
using System.Text.Json;
using Storage.Contracts;
using Storage.Ledger;

namespace Storage.Api;

/// <summary>A message that could not be handled. Body and headers only where one letter is asked for.</summary>
/// <param name="Queue">The queue that it came from.</param>
/// <param name="State">Whether anybody has decided about it.</param>
/// <param name="ReceivedAt">When it came in.</param>
/// <param name="LastReceivedAt">When it was delivered last.</param>
/// <param name="Deliveries">How often it was delivered in vain.</param>
/// <param name="Error">Why it could not be handled.</param>
/// <param name="ExceptionType">The type of the exception.</param>
/// <param name="MessageType">What it says of itself.</param>
/// <param name="MessageId">Its id, where it has one.</param>
/// <param name="BodyLength">How long it was, in bytes.</param>
/// <param name="Replayable">It is open and kept as it came: whole, and without secrets removed.</param>
/// <param name="ReplayOf">The letter whose replay it is.</param>
/// <param name="ClosedAt">When it was replayed or discarded.</param>
/// <param name="ContentType">What it says of its body.</param>
/// <param name="Headers">Its headers; a secret is <c>***</c>.</param>
/// <param name="Body">Its first 262,144 bytes in base64; secrets are <c>***</c>.</param>
/// <param name="Text">The same as text, where it is text.</param>
public sealed record DeadLetterView(
    Guid Id,
    string Queue,
    DeadLetterState State,
    DateTimeOffset ReceivedAt,
    DateTimeOffset LastReceivedAt,
    int Deliveries,
    StorageError Error,
    string? ExceptionType,
    string? MessageType,
    string? MessageId,
    long BodyLength,
    bool Replayable,
    Guid? ReplayOf,
    DateTimeOffset? ClosedAt,
    string? ContentType,
    IReadOnlyDictionary<string, string>? Headers = null,
    byte[]? Body = null,
    string? Text = null)
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static DeadLetterView Of(DeadLetterRow row) => new(
        row.Id,
        row.Queue,
        row.State,
        row.ReceivedAt,
        row.LastReceivedAt,
        row.Deliveries,
        JsonSerializer.Deserialize<StorageError>(row.Error, StorageJson.Options)!,
        row.ExceptionType,
        row.MessageType,
        row.MessageId,
        row.BodyLength,
        row.State == DeadLetterState.Open && row.Whole,
        row.ReplayOf,
        row.ClosedAt,
        row.ContentType);

    public static DeadLetterView WithContent(DeadLetterRow row) => Of(row) with
    {
        Headers = JsonSerializer.Deserialize<Dictionary<string, string>>(row.Headers, StorageJson.Options),
        Body = row.Body,
        Text = TextOf(row.Body),
    };

    private static string? TextOf(byte[] body)
    {
        try
        {
            return Strict.GetString(body);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }
}
