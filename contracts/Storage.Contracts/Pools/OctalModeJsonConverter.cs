using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Storage.Contracts;

/// <summary>A file mode as an octal string, <c>"0640"</c>. A JSON number is refused: 640 would be read as decimal.</summary>
public sealed class OctalModeJsonConverter : JsonConverter<int?>
{
    public override int? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.Null)
            return null;
        if (reader.TokenType == JsonTokenType.String && TryParse(reader.GetString()!, out var mode))
            return mode;
        throw new JsonException("A mode is an octal string of at most 0777, such as \"0640\".");
    }

    public override void Write(Utf8JsonWriter writer, int? value, JsonSerializerOptions options)
    {
        if (value is { } mode)
            writer.WriteStringValue("0" + Convert.ToString(mode, 8));
        else
            writer.WriteNullValue();
    }

    private static bool TryParse(string text, out int mode)
    {
        mode = 0;
        if (text.Length is 0 or > 8)
            return false;
        foreach (var c in text)
        {
            if (c is < '0' or > '7')
                return false;
            mode = mode * 8 + (c - '0');
        }
        return mode <= 0x1FF && text.Length > 0 && int.TryParse(text, CultureInfo.InvariantCulture, out _);
    }
}
