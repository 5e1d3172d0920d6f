namespace Storage.Contracts;

/// <summary>What an element holds: attributes, and either children in any order or a text.</summary>
internal sealed class Shape(params IReadOnlyList<Part> parts)
{
    public static readonly Shape Empty = new();

    public IReadOnlyList<Part> Parts { get; } = parts;

    /// <summary>Of the text; null where there is none but blanks.</summary>
    public Datatype? Value { get; private init; }

    public static Shape Text(Datatype value, params IReadOnlyList<Part> attributes) => new(attributes) { Value = value };

    public Shape WithNothingRequired() => new([.. Parts.Select(part => part.Optional())]) { Value = Value };

    public Part? Attribute(InputAttribute attribute) =>
        Parts.FirstOrDefault(part => part.IsAttribute && attribute.Namespace.Length == 0 && part.Name.AsSpan(1).SequenceEqual(attribute.Name));

    public Part? Child(InputElement child) =>
        Parts.FirstOrDefault(part => !part.IsAttribute && part.Name == child.LocalName && part.Namespace == child.Namespace);
}
