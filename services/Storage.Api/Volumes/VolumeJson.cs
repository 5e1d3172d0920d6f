using System.Buffers;
using System.Text;
using System.Text.Json;
using Storage.Contracts;

namespace Storage.Api;

/// <summary>
/// Writes a volume as <see cref="VolumeView"/> says, out of its document as it is stored: what both have is passed on as it stands, without
/// becoming objects meanwhile.
/// </summary>
public static class VolumeJson
{
    private static readonly Member[] Members = [.. MembersOf(new VolumeView(
        "", default, null, null, VolumeKind.File, null, 0, 0, 0, default, null, null, null, null, null, false, null, null, null, null, null))];

    private static readonly int Pool = Array.FindIndex(Members, member => member.Is("pool"u8));
    private static readonly int ObservedAt = Array.FindIndex(Members, member => member.Is("observedAt"u8));

    public static void Write(Utf8JsonWriter json, Guid pool, DateTimeOffset seenAt, string document)
    {
        var rented = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(document.Length));
        try
        {
            Write(json, pool, seenAt, rented.AsSpan(0, Encoding.UTF8.GetBytes(document, rented)));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private static void Write(Utf8JsonWriter json, Guid pool, DateTimeOffset seenAt, ReadOnlySpan<byte> document)
    {
        Span<Range> values = stackalloc Range[Members.Length];
        values.Clear();
        Find(document, values);
        json.WriteStartObject();
        for (var i = 0; i < Members.Length; i++)
        {
            var value = values[i].Equals(default) ? Members[i].Otherwise : document[values[i]];
            if (i == Pool)
                json.WriteString(Members[i].Name, pool);
            else if (i == ObservedAt)
                json.WriteString(Members[i].Name, seenAt);
            else if (value.Length > 0)
            {
                json.WritePropertyName(Members[i].Name);
                json.WriteRawValue(value, skipInputValidation: true);
            }
        }
        json.WriteEndObject();
    }

    /// <summary>Where in a document the members are. What else is there is not shown.</summary>
    private static void Find(ReadOnlySpan<byte> document, Span<Range> values)
    {
        var reader = new Utf8JsonReader(document);
        reader.Read();
        var expected = 0;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var member = IndexOf(reader.ValueSpan, expected);
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            if (member < 0)
                continue;
            values[member] = start..(int)reader.BytesConsumed;
            expected = member + 1;
        }
    }

    /// <param name="first">Where to look first: documents have most members in the order of the view.</param>
    private static int IndexOf(ReadOnlySpan<byte> name, int first)
    {
        for (var i = 0; i < Members.Length; i++)
        {
            var index = (first + i) % Members.Length;
            if (Members[index].Is(name))
                return index;
        }
        return -1;
    }

    /// <param name="least">It has only what is always there.</param>
    private static IEnumerable<Member> MembersOf(VolumeView least)
    {
        var always = StorageJson.ToElement(least);
        foreach (var property in StorageJson.Options.GetTypeInfo(typeof(VolumeView)).Properties)
        {
            yield return new Member(
                JsonEncodedText.Encode(property.Name),
                always.TryGetProperty(property.Name, out var value) ? Encoding.UTF8.GetBytes(value.GetRawText()) : []);
        }
    }

    /// <param name="Otherwise">Its value where the document has none; empty where it is left out then.</param>
    private sealed record Member(JsonEncodedText Name, byte[] Otherwise)
    {
        public bool Is(ReadOnlySpan<byte> name) => Name.EncodedUtf8Bytes.SequenceEqual(name);
    }
}
