using System.Buffers.Text;
using System.Text.Json;
using Storage.Contracts;

namespace Storage.Api;

/// <summary>A part of a list.</summary>
/// <param name="Items">The entries, in the list's order.</param>
/// <param name="Next">The <c>cursor</c> of the next part; absent at the end.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, string? Next = null);

/// <summary>How much of a list is asked for.</summary>
public static class PageLimit
{
    public const int Default = 100;
    public const int Max = 1000;

    public static int Check(int? limit) => limit switch
    {
        null => Default,
        >= 1 and <= Max => limit.Value,
        _ => throw new StorageException(ErrorCodes.InvalidArgument, $"The limit is 1 to {Max}.", "limit"),
    };
}

/// <summary>
/// The place in a list after which the next page begins: the key of the last entry seen, so that entries that come and go meanwhile
/// neither repeat nor hide others. Opaque to clients.
/// </summary>
public static class Cursor
{
    public static string Write(string list, params string[] key) =>
        Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes<string[]>([list, .. key]));

    /// <returns>The key, or null for the first page.</returns>
    /// <exception cref="StorageException"><see cref="ErrorCodes.InvalidArgument"/> for what <see cref="Write"/> did not make for this list.</exception>
    public static string[]? Read(string? cursor, string list, int parts)
    {
        if (cursor is null)
            return null;
        try
        {
            if (JsonSerializer.Deserialize<string?[]>(Base64Url.DecodeFromChars(cursor)) is [{ } name, .. var key]
                && name == list && key.Length == parts && key.All(part => part is not null))
                return key!;
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            // Refused below.
        }
        throw new StorageException(ErrorCodes.InvalidArgument, "This is not a cursor of this list.", "cursor");
    }
}
