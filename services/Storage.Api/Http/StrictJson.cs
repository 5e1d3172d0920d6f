using System.Text.Json;
using System.Text.RegularExpressions;
using Storage.Contracts;

namespace Storage.Api;

/// <summary>Reads a client's JSON: what is not understood is refused, with the path of the place.</summary>
public static partial class StrictJson
{
    private static readonly JsonSerializerOptions Lenient = new(StorageJson.Options) { AllowDuplicateProperties = false };

    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.InvalidDocument"/> for wrong shape, <see cref="ErrorCodes.UnknownField"/> for a member that does not exist.
    /// </exception>
    public static T Read<T>(ReadOnlyMemory<byte> json) => (T)Read(json, typeof(T));

    /// <inheritdoc cref="Read{T}"/>
    public static object Read(ReadOnlyMemory<byte> json, Type type)
    {
        var text = WithoutByteOrderMark(json.Span);
        try
        {
            return JsonSerializer.Deserialize(text, type, StorageJson.Strict)
                ?? throw new StorageException(ErrorCodes.InvalidDocument, "The document is null.", "$");
        }
        catch (JsonException e)
        {
            throw new StorageException(IsOnlyUnknown(text, type) ? Unknown(e) : Invalid(e), e);
        }
    }

    private static ReadOnlySpan<byte> WithoutByteOrderMark(ReadOnlySpan<byte> text) =>
        text.StartsWith("\uFEFF"u8) ? text[3..] : text;

    // The serializer does not say in a way of its own that a member is unknown; it does if the same text is fine without strictness.
    private static bool IsOnlyUnknown(ReadOnlySpan<byte> text, Type type)
    {
        try
        {
            return JsonSerializer.Deserialize(text, type, Lenient) is not null;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static StorageError Unknown(JsonException e) =>
        new(ErrorCodes.UnknownField, $"There is no such field: {PathOf(e)}.", PathOf(e));

    private static StorageError Invalid(JsonException e)
    {
        if (e.InnerException is StorageException { Error: var error })
            return error with { Field = PathOf(e) };
        var message = Place().Replace(e.Message, "");
        if (message.StartsWith("The JSON value could not be converted", StringComparison.Ordinal))
            message = "The value is not of the kind that belongs here.";
        else if (Missing().Match(message) is { Success: true } missing)
            return new StorageError(
                ErrorCodes.InvalidDocument, $"Required and not there: {missing.Groups["names"].Value}.", Within(PathOf(e), missing.Groups["first"].Value));
        else if (Twice().Match(message) is { Success: true } twice)
            message = $"'{twice.Groups["name"].Value}' is given twice.";
        else if (Null().Match(message) is { Success: true } isNull)
            message = $"'{isNull.Groups["name"].Value}' must not be null.";
        var place = e.LineNumber is { } line ? $" (line {line + 1}, byte {e.BytePositionInLine + 1})" : "";
        return new StorageError(ErrorCodes.InvalidDocument, message + place, PathOf(e));
    }

    // As the rules of definitions name their fields: source.hosts[0].name.
    private static string PathOf(JsonException e) => e.Path switch
    {
        null or "$" => "$",
        ['$', '.', .. var path] => path,
        var path => path[1..],
    };

    [GeneratedRegex(@" (Path: \S+ \| )?LineNumber: .*$", RegexOptions.Singleline)]
    private static partial Regex Place();

    private static string Within(string path, string member) => path == "$" ? member : $"{path}.{member}";

    [GeneratedRegex("missing required properties including: (?<names>'(?<first>[^']*)'.*?)\\.?$", RegexOptions.Singleline)]
    private static partial Regex Missing();

    [GeneratedRegex("^Duplicate property '(?<name>[^']*)'")]
    private static partial Regex Twice();

    [GeneratedRegex("^The (property or field|constructor parameter) '(?<name>[^']*)' on type .* doesn't allow (getting|setting|null)")]
    private static partial Regex Null();
}
