using System.Globalization;
using System.Runtime.Serialization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Storage.Contracts;

namespace Storage.Hosting;

/// <summary>A message that cannot be handled, as it came from its queue.</summary>
public sealed record DeadMessage(
    string Queue,
    byte[] Body,
    string? MessageType,
    string? MessageId,
    string? ContentType,
    IEnumerable<KeyValuePair<string, object?>> Headers)
{
    public const int BodyLimit = 256 * 1024;
    public const int TextLimit = 4096;
    public const int HeaderLimit = 64;

    /// <summary>The header of a message that is sent again: the letter that it comes from.</summary>
    public const string ReplayHeader = "storage-replay-of";

    // A secret at the end of what is kept must be seen whole to be found.
    private const int Overlap = 4096;

    /// <summary>What is kept of it: bounded, and without secrets.</summary>
    public DeadLetter ToLetter(StorageError error, Exception? exception, DateTimeOffset now)
    {
        var cut = Body.Length > BodyLimit + Overlap ? Body[..(BodyLimit + Overlap)] : Body;
        var kept = SecretMask.Bytes(cut);
        var headers = KeptHeaders();
        return new DeadLetter(
            Guid.CreateVersion7(now), Text(Queue)!, Fingerprint(), now,
            new StorageError(error.Code, Text(error.Message)!, Text(error.Field), error.Retryable, Text(error.Resource)),
            exception?.GetType().FullName, Text(MessageType), Text(MessageId), Text(ContentType), headers,
            kept.Length > BodyLimit ? kept[..BodyLimit] : kept, Body.Length, !ReferenceEquals(kept, cut), ReplayOf());
    }

    /// <summary>What an exception says of its message.</summary>
    public static StorageError ErrorOf(Exception exception) => exception switch
    {
        StorageException storage => storage.Error,
        _ when IsUnreadable(exception) => new(ErrorCodes.InvalidDocument, $"The message cannot be read: {exception.Message}"),
        _ => new(ErrorCodes.Internal, exception.Message),
    };

    /// <summary>It would never become readable.</summary>
    public static bool IsUnreadable(Exception exception) => exception is SerializationException or JsonException or NotSupportedException;

    private Guid? ReplayOf() =>
        Headers.FirstOrDefault(header => header.Key == ReplayHeader).Value is { } value && Guid.TryParse(Plain(value), out var id) ? id : null;

    private string Fingerprint()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{Queue}\n{MessageId}\n{ReplayOf()}\n"));
        hash.AppendData(Body);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private Dictionary<string, string> KeptHeaders()
    {
        var kept = new Dictionary<string, string>();
        foreach (var (name, value) in Headers.Where(header => header.Value is not null).Take(HeaderLimit))
            kept[Text(name)!] = SecretMask.IsSecret(name) ? SecretMask.Mask : Text(Plain(value!))!;
        return kept;
    }

    private static string Plain(object value) => value switch
    {
        string text => text,
        byte[] bytes => Encoding.UTF8.GetString(bytes),
        System.Collections.IEnumerable => JsonSerializer.Serialize(value),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };

    /// <summary>Bounded, without secrets, and without the one character that PostgreSQL does not keep.</summary>
    private static string? Text(string? text)
    {
        if (text is null)
            return null;
        text = SecretMask.Text(text.Length > TextLimit + Overlap ? text[..(TextLimit + Overlap)] : text);
        return (text.Length > TextLimit ? text[..TextLimit] : text).Replace('\0', '\uFFFD');
    }
}
