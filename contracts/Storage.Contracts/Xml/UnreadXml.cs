using System.Xml.Linq;

namespace Storage.Contracts;

/// <summary>Strict reading: what nobody looked at is unknown.</summary>
internal static class UnreadXml
{
    private const int MaxPathLength = 512;

    /// <exception cref="StorageException"><see cref="ErrorCodes.UnknownField"/> with the path of the first one in the document.</exception>
    public static void Refuse(XElement root, HashSet<XObject> looked)
    {
        foreach (var element in root.DescendantsAndSelf())
        {
            if (!looked.Contains(element))
                throw Unknown("element", PathOf(element));
            foreach (var attribute in element.Attributes())
            {
                if (!attribute.IsNamespaceDeclaration && !looked.Contains(attribute))
                    throw Unknown("attribute", $"{PathOf(element)}/@{InputElement.Display(element, attribute.Name)}");
            }
        }
    }

    private static string PathOf(XElement element) => string.Join('/', element.AncestorsAndSelf().Reverse().Select(Step));

    /// <summary>The element's name, numbered where it has brothers of that name.</summary>
    private static string Step(XElement element)
    {
        var name = InputElement.Display(element, element.Name);
        if (element.Parent is not { } parent || !parent.Elements(element.Name).Skip(1).Any())
            return name;
        return $"{name}[{element.ElementsBeforeSelf(element.Name).Count() + 1}]";
    }

    private static StorageException Unknown(string what, string path) =>
        new(ErrorCodes.UnknownField, $"Unknown {what}.", path.Length > MaxPathLength ? path[..MaxPathLength] : path);
}
