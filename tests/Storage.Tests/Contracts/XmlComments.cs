using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Storage.Contracts;

namespace Storage.Tests;

/// <summary>What the contracts' documentation comments say, as plain text.</summary>
internal static partial class XmlComments
{
    private static readonly Dictionary<string, XElement> Members =
        XDocument.Load(Path.ChangeExtension(typeof(ICommand).Assembly.Location, ".xml")).Descendants("member")
            .ToDictionary(member => member.Attribute("name")!.Value);

    public static string? Of(Type type) => Text(Find($"T:{NameOf(type)}")?.Element("summary"));

    /// <summary>A property's own comment, or that of the record's parameter.</summary>
    public static string? Of(Type type, string property) =>
        Text(Find($"P:{NameOf(type)}.{property}")?.Element("summary"))
        ?? Text(Find($"T:{NameOf(type)}")?.Elements("param").FirstOrDefault(param => param.Attribute("name")?.Value == property));

    public static string? OfField(Type type, string field) => Text(Find($"F:{NameOf(type)}.{field}")?.Element("summary"));

    private static string NameOf(Type type) => type.FullName!.Replace('+', '.');

    private static XElement? Find(string name) => Members.GetValueOrDefault(name);

    private static string? Text(XElement? element)
    {
        if (element is null)
            return null;
        var text = new StringBuilder();
        foreach (var node in element.DescendantNodes())
        {
            if (node is XText plain)
                text.Append(plain.Value);
            else if (node is XElement reference && Reference(reference) is { } name)
                text.Append(name);
        }
        return Spaces().Replace(text.ToString(), " ").Trim() is { Length: > 0 } line ? line : null;
    }

    private static string? Reference(XElement element) => element switch
    {
        { Name.LocalName: "paramref" } => JsonNamingPolicy.CamelCase.ConvertName(element.Attribute("name")!.Value),
        { Name.LocalName: "see" } when element.Attribute("cref") is { } target => target.Value.Split('(')[0].Split('.', ':')[^1],
        _ => null,
    };

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
