using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Storage.Contracts;

/// <summary>
/// Sizes with libvirt's units (virScaleInteger): none, <c>b</c>, <c>byte</c>, <c>bytes</c> are 1; <c>k m g t p e</c> and
/// <c>KiB … EiB</c> are powers of 1024; <c>KB … EB</c> powers of 1000; case does not matter. The result is bytes, at most 2^63-1.
/// </summary>
public static class ByteSize
{
    private const string Letters = "kmgtpe";

    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.InvalidArgument"/> for an unknown unit, <see cref="ErrorCodes.Overflow"/> above 2^63-1.
    /// </exception>
    public static long Scale(ulong value, string? unit, string field)
    {
        var factor = Factor(unit)
            ?? throw new StorageException(ErrorCodes.InvalidArgument, $"Unknown unit '{unit}'.", field);
        var bytes = (UInt128)value * factor;
        return bytes <= long.MaxValue
            ? (long)bytes
            : throw new StorageException(ErrorCodes.Overflow, $"{value} {unit} is over 2^63-1 bytes.", field);
    }

    /// <summary>Reads <c>"10 GiB"</c>, <c>"512"</c>, <c>"1g"</c>.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.InvalidDefinition"/>, or as <see cref="Scale"/>.</exception>
    public static long Parse(string text, string field)
    {
        var trimmed = text.AsSpan().Trim();
        var digits = 0;
        while (digits < trimmed.Length && char.IsAsciiDigit(trimmed[digits]))
            digits++;
        if (digits == 0)
            throw new StorageException(ErrorCodes.InvalidDefinition, $"'{text}' is not an unsigned size.", field);
        if (!ulong.TryParse(trimmed[..digits], NumberStyles.None, CultureInfo.InvariantCulture, out var value))
            throw new StorageException(ErrorCodes.Overflow, $"'{text}' is over 2^63-1 bytes.", field);
        return Scale(value, trimmed[digits..].Trim().ToString(), field);
    }

    private static UInt128? Factor(string? unit)
    {
        var name = unit?.ToLowerInvariant() ?? "";
        if (name is "" or "b" or "byte" or "bytes")
            return 1;
        var power = Letters.IndexOf(name[0], StringComparison.Ordinal) + 1;
        return power == 0 ? null : name[1..] switch
        {
            "" or "ib" => Power(1024, power),
            "b" => Power(1000, power),
            _ => null,
        };
    }

    private static UInt128 Power(uint radix, int exponent)
    {
        UInt128 result = 1;
        while (exponent-- > 0)
            result *= radix;
        return result;
    }
}

/// <summary>Reads a size as a number of bytes or as a string with a unit; writes a number of bytes.</summary>
public sealed class ByteSizeJsonConverter : JsonConverter<long?>
{
    public override long? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        try
        {
            return reader.TokenType switch
            {
                JsonTokenType.Null => null,
                JsonTokenType.Number when reader.TryGetInt64(out var bytes) && bytes >= 0 => bytes,
                JsonTokenType.String => ByteSize.Parse(reader.GetString()!, "size"),
                _ => throw new JsonException("A size is an unsigned number of bytes up to 2^63-1, or a string such as \"10 GiB\"."),
            };
        }
        catch (StorageException e)
        {
            throw new JsonException(e.Error.Message, e);
        }
    }

    public override void Write(Utf8JsonWriter writer, long? value, JsonSerializerOptions options)
    {
        if (value is { } bytes)
            writer.WriteNumberValue(bytes);
        else
            writer.WriteNullValue();
    }
}
