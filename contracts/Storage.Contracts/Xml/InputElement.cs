using System.Globalization;
using System.Xml.Linq;

namespace Storage.Contracts;

/// <summary>
/// One element of a document that is read, with its path. As in libvirt, the first of several equal children counts, text is not
/// trimmed, and an empty text is an absent one.
/// </summary>
internal sealed class InputElement
{
    private readonly HashSet<XObject> looked;

    public InputElement(XElement source, string path, HashSet<XObject> looked)
    {
        Source = source;
        Path = path;
        this.looked = looked;
        looked.Add(source);
    }

    public XElement Source { get; }

    public string Path { get; }

    public string LocalName => Source.Name.LocalName;

    /// <summary>The text; null when empty.</summary>
    public string? Text => Source.Value is { Length: > 0 } text ? text : null;

    public InputElement? Child(XName name) =>
        Source.Element(name) is { } child ? new InputElement(child, $"{Path}/{Display(Source, name)}", looked) : null;

    /// <summary>All children of a name; numbered in their paths, from 1, where there are several.</summary>
    public IReadOnlyList<InputElement> Children(XName name)
    {
        var children = Source.Elements(name).ToList();
        var path = $"{Path}/{Display(Source, name)}";
        return [.. children.Select((child, i) => new InputElement(child, children.Count > 1 ? $"{path}[{i + 1}]" : path, looked))];
    }

    /// <summary>The names of all children that have no namespace.</summary>
    public IReadOnlyList<string> ChildNames()
    {
        var children = Source.Elements().Where(child => child.Name.Namespace == XNamespace.None).ToList();
        looked.UnionWith(children);
        return [.. children.Select(child => child.Name.LocalName)];
    }

    public string? ChildText(string name) => Child(name)?.Text;

    /// <summary>An attribute of a child; null also when it is empty.</summary>
    public string? ChildAttribute(string child, string name) => Child(child)?.Attribute(name) is { Length: > 0 } value ? value : null;

    /// <summary>An attribute; an empty one is there.</summary>
    public string? Attribute(string name)
    {
        if (Source.Attribute(name) is not { } attribute)
            return null;
        looked.Add(attribute);
        return attribute.Value;
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
        var text when int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) => number,
        _ => throw WrongAttribute(name, $"'{name}' is a decimal number."),
    };

    /// <summary>Known, but nothing that a definition says: not read.</summary>
    public void Ignore(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            foreach (var element in Source.Elements(name).DescendantsAndSelf())
            {
                looked.Add(element);
                looked.UnionWith(element.Attributes());
            }
        }
    }

    public StorageException Wrong(string message, string code = ErrorCodes.InvalidDefinition) => new(code, message, Path);

    public StorageException WrongAttribute(string name, string message, string code = ErrorCodes.InvalidDefinition) =>
        new(code, message, $"{Path}/@{name}");

    /// <summary>A name as the document writes it, with its prefix.</summary>
    public static string Display(XElement scope, XName name) =>
        name.Namespace != XNamespace.None && scope.GetPrefixOfNamespace(name.Namespace) is { Length: > 0 } prefix
            ? $"{prefix}:{name.LocalName}"
            : name.LocalName;
}
