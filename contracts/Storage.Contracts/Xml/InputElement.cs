using System.Globalization;
using System.Text;

namespace Storage.Contracts;

/// <summary>An attribute of an element that is read.</summary>
internal readonly record struct InputAttribute(string Prefix, string Namespace, string Name, string Value)
{
    public string Display => Prefix.Length == 0 ? Name : $"{Prefix}:{Name}";
}

/// <summary>
/// One element of a document that is read. As in libvirt, the first of several equal children counts, text is not trimmed, and an
/// empty text is an absent one.
/// </summary>
internal sealed class InputElement(InputElement? parent, string prefix, string ns, string name)
{
    /// <summary>A piece of text among the children.</summary>
    private const string TextNode = "";

    private List<InputElement>? nodes;
    private string? text;

    public string LocalName { get; } = name;

    public string Namespace { get; } = ns;

    public InputElement? Parent { get; } = parent;

    /// <summary>Without the declarations of namespaces.</summary>
    public InputAttribute[] Attributes { get; set; } = [];

    /// <summary>A name as the document writes it, with its prefix.</summary>
    public string Display => prefix.Length == 0 ? LocalName : $"{prefix}:{LocalName}";

    /// <summary>Where it is in the document, such as <c>pool/source/host[2]</c>; numbered, from 1, where there are several of its name.</summary>
    public string Path => Parent is null ? Display : $"{Parent.Path}/{Display}{Number()}";

    public IEnumerable<InputElement> Elements => nodes?.Where(node => node.LocalName != TextNode) ?? [];

    /// <summary>The text, with that of all elements within; null when empty.</summary>
    public string? Text
    {
        get
        {
            if (nodes is null)
                return string.IsNullOrEmpty(text) ? null : text;
            var all = new StringBuilder();
            Collect(all);
            return all.Length > 0 ? all.ToString() : null;
        }
    }

    /// <summary>The text without that of elements within; blanks count.</summary>
    public string OwnText => nodes is null ? text ?? "" : text + string.Concat(nodes.Where(node => node.LocalName == TextNode).Select(node => node.text));

    public void Add(InputElement child) => (nodes ??= []).Add(child);

    public void Add(string piece)
    {
        if (nodes is null && text is null)
            text = piece;
        else
            Add(new InputElement(this, "", "", TextNode) { text = piece });
    }

    public InputElement? Child(string name, string ns = "")
    {
        foreach (var node in nodes ?? [])
        {
            if (node.LocalName == name && node.Namespace == ns)
                return node;
        }
        return null;
    }

    public IReadOnlyList<InputElement> Children(string name, string ns = "") =>
        nodes?.FindAll(node => node.LocalName == name && node.Namespace == ns) ?? [];

    public string? ChildText(string name) => Child(name)?.Text;

    /// <summary>An attribute of a child; null also when it is empty.</summary>
    public string? ChildAttribute(string child, string name) => Child(child)?.Attribute(name) is { Length: > 0 } value ? value : null;

    /// <summary>An attribute; an empty one is there.</summary>
    public string? Attribute(string name)
    {
        foreach (var attribute in Attributes)
        {
            if (attribute.Name == name && attribute.Namespace.Length == 0)
                return attribute.Value;
        }
        return null;
    }

    public string RequiredAttribute(string name) => Attribute(name) ?? throw WrongAttribute(name, $"<{LocalName}> needs '{name}'.");

    public bool? YesNo(string name) => Attribute(name) switch
    {
        null => null,
        "yes" => true,
        "no" => false,
        _ => throw WrongAttribute(name, $"'{name}' is yes or no."),
    };

    /// <summary>A decimal number in an attribute.</summary>
    public int? Number(string name) => Attribute(name) switch
    {
        null => null,
        var number when StrtolNumber.Parse(number) is { } value and >= int.MinValue and <= int.MaxValue => (int)value,
        _ => throw WrongAttribute(name, $"'{name}' is a decimal number."),
    };

    public StorageException Wrong(string message, string code = ErrorCodes.InvalidDefinition) => new(code, message, Path);

    public StorageException WrongAttribute(string name, string message, string code = ErrorCodes.InvalidDefinition) =>
        new(code, message, $"{Path}/@{name}");

    private void Collect(StringBuilder all)
    {
        all.Append(text);
        foreach (var node in nodes ?? [])
            node.Collect(all);
    }

    private string Number()
    {
        var same = Parent!.Children(LocalName, Namespace);
        return same.Count > 1 ? string.Create(CultureInfo.InvariantCulture, $"[{IndexOf(same) + 1}]") : "";
    }

    private int IndexOf(IReadOnlyList<InputElement> elements)
    {
        var index = 0;
        while (elements[index] != this)
            index++;
        return index;
    }
}
