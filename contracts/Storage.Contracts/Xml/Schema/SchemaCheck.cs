namespace Storage.Contracts;

/// <summary>
/// Holds an element to a shape. Of several violations the first in the document is named; something missing shows where its place ends.
/// </summary>
internal static class SchemaCheck
{
    /// <exception cref="StorageException">The element, or one within it, is not of its shape.</exception>
    public static void Check(InputElement element, Shape shape)
    {
        var seen = new HashSet<string>();
        foreach (var attribute in element.Attributes)
        {
            var part = shape.Attribute(attribute) ?? throw element.WrongAttribute(
                attribute.Display, $"<{element.Display}> has no attribute '{attribute.Display}' here.", ErrorCodes.UnknownField);
            Take(part, element, seen, element);
            if (!part.Value.Has(attribute.Value))
                throw Violation(element, part, $"{Quote(part.Name)} is {part.Value.Words}.");
        }
        CheckMissing(element, shape.Parts.Where(part => part.IsOfTag), seen);
        CheckText(element, shape);
        foreach (var child in element.Elements)
        {
            var part = shape.Child(child) ?? throw child.Wrong($"<{element.Display}> has no <{child.Display}> here.", ErrorCodes.UnknownField);
            Take(part, element, seen, child);
            if (part.Last && shape.Child(element.Elements.Last()) != part)
                throw Violation(child, $"Nothing comes after <{child.Display}>.");
            Check(child, part.Shape!(child));
        }
        CheckMissing(element, shape.Parts.Where(part => !part.IsOfTag), seen);
    }

    private static void CheckText(InputElement element, Shape shape)
    {
        var text = element.OwnText;
        if (shape.Value is { } value ? !value.Has(text) : Datatype.Trim(text).Length > 0)
            throw Violation(element, shape.Value is null ? $"<{element.Display}> has no text." : $"<{element.Display}> is {shape.Value.Words}.");
    }

    /// <param name="at">The element that the part is, or whose attribute it is.</param>
    private static void Take(Part part, InputElement element, HashSet<string> seen, InputElement at)
    {
        if (!seen.Add(part.Name) && !part.Repeats)
            throw Violation(at, $"<{element.Display}> has only one {Quote(part.Name)}.");
        if (part.Alternative is { } other && seen.Contains(other))
        {
            var message = $"<{element.Display}> has {Quote(part.Name)} or {Quote(other)}, not both.";
            throw part.IsAttribute ? Violation(at, part, message) : Violation(at, message);
        }
    }

    private static void CheckMissing(InputElement element, IEnumerable<Part> parts, HashSet<string> seen)
    {
        foreach (var part in parts)
        {
            if (part.Required && !seen.Contains(part.Name) && !seen.Contains(part.Alternative ?? part.Name))
            {
                var other = part.Alternative is null ? "" : $" or {Quote(part.Alternative)}";
                throw Violation(element, part, $"<{element.Display}> needs {Quote(part.Name)}{other}.");
            }
            if (seen.Contains(part.Name) && part.Company.FirstOrDefault(name => !seen.Contains(name)) is { } company)
                throw Violation(element, $"{Quote(part.Name)} comes with {Quote(company)}.", company);
        }
    }

    private static string Quote(string name) => name[0] == '@' ? $"'{name[1..]}'" : $"<{name}>";

    private static StorageException Violation(InputElement element, string message) => element.Wrong(message, ErrorCodes.SchemaViolation);

    private static StorageException Violation(InputElement element, Part part, string message) => Violation(element, message, part.Name);

    private static StorageException Violation(InputElement element, string message, string part) =>
        new(ErrorCodes.SchemaViolation, message, $"{element.Path}/{part}");
}
