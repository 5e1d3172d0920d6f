using System.Text;
using System.Xml;

namespace Storage.Contracts;

/// <summary>
/// Writes XML as libvirt does, byte for byte: two spaces a level, single quotes, no declaration, a newline after every line,
/// <c>&lt; &gt; &amp; " '</c> as entities, characters that XML cannot carry dropped.
/// </summary>
internal sealed class XmlOutput
{
    private readonly StringBuilder text = new();
    private readonly Stack<string> open = new();

    /// <summary>An opening tag; attributes without a value are left out.</summary>
    public void Open(string name, params ReadOnlySpan<(string Name, string? Value)> attributes)
    {
        Tag(name, attributes).Append(">\n");
        open.Push(name);
    }

    public void Close()
    {
        var name = open.Pop();
        Indent().Append("</").Append(name).Append(">\n");
    }

    /// <summary>An element without content.</summary>
    public void Empty(string name, params ReadOnlySpan<(string Name, string? Value)> attributes) =>
        Tag(name, attributes).Append("/>\n");

    /// <summary>An element with text; nothing at all when the text is null.</summary>
    public void Text(string name, string? value, params ReadOnlySpan<(string Name, string? Value)> attributes)
    {
        if (value is null)
            return;
        Tag(name, attributes).Append('>');
        Escape(value);
        text.Append("</").Append(name).Append(">\n");
    }

    public override string ToString() => text.ToString();

    private StringBuilder Indent() => text.Append(' ', 2 * open.Count);

    private StringBuilder Tag(string name, ReadOnlySpan<(string Name, string? Value)> attributes)
    {
        Indent().Append('<').Append(name);
        foreach (var (attribute, value) in attributes)
        {
            if (value is null)
                continue;
            text.Append(' ').Append(attribute).Append("='");
            Escape(value);
            text.Append('\'');
        }
        return text;
    }

    private void Escape(string value)
    {
        for (var i = 0; i < value.Length; i++)
        {
            var c = value[i];
            if (i + 1 < value.Length && XmlConvert.IsXmlSurrogatePair(value[i + 1], c))
                text.Append(c).Append(value[++i]);
            else if (XmlConvert.IsXmlChar(c))
                _ = Entity(c) is { } entity ? text.Append(entity) : text.Append(c);
        }
    }

    private static string? Entity(char c) => c switch
    {
        '<' => "&lt;",
        '>' => "&gt;",
        '&' => "&amp;",
        '"' => "&quot;",
        '\'' => "&apos;",
        _ => null,
    };
}
