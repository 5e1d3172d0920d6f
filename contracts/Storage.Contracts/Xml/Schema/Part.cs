namespace Storage.Contracts;

/// <summary>
/// An attribute or a child that an element may have. As in paths, the name of an attribute begins with <c>@</c>: the tables of the
/// schema read <c>Must("@path", AbsoluteFile), May("secret", Secret)</c>.
/// </summary>
/// <param name="Name">As a document writes it.</param>
/// <param name="Required">It must be there.</param>
/// <param name="Repeats">It may be there more than once.</param>
internal sealed record Part(string Name, bool Required, bool Repeats)
{
    /// <summary>Of the children's shape, which may depend on what a child holds; null for an attribute.</summary>
    public Func<InputElement, Shape>? Shape { get; private init; }

    /// <summary>Of an attribute's value.</summary>
    public Datatype Value { get; private init; } = Datatypes.Text;

    /// <summary>Of a child's name.</summary>
    public string Namespace { get; private init; } = "";

    /// <summary>What may stand in its place: exactly one of them is there.</summary>
    public string? Alternative { get; private init; }

    /// <summary>What it does not come without.</summary>
    public IReadOnlyList<string> Company { get; private init; } = [];

    /// <summary>No other child follows it.</summary>
    public bool Last { get; private init; }

    public bool IsAttribute => IsNameOfAttribute(Name);

    /// <summary>Whether the opening tag alone shows that it is missing.</summary>
    public bool IsOfTag => IsAttribute && (Alternative is null || IsNameOfAttribute(Alternative)) && Company.All(IsNameOfAttribute);

    public static Part Must(string name, Datatype value) => new(name, true, false) { Value = value };

    public static Part May(string name, Datatype value) => new(name, false, false) { Value = value };

    public static Part Must(string name, Shape shape) => Must(name, _ => shape);

    public static Part Must(string name, Func<InputElement, Shape> shape) => new(name, true, false) { Shape = shape };

    public static Part May(string name, Shape shape) => new(name, false, false) { Shape = _ => shape };

    /// <summary>One or more.</summary>
    public static Part Some(string name, Shape shape) => new(name, true, true) { Shape = _ => shape };

    /// <summary>None or more.</summary>
    public static Part Any(string name, Shape shape) => new(name, false, true) { Shape = _ => shape };

    public Part Optional() => this with { Required = false };

    public Part AnyNumber() => this with { Required = false, Repeats = true };

    public Part In(string ns) => this with { Namespace = ns };

    public Part Or(string alternative) => this with { Alternative = alternative };

    public Part With(params string[] company) => this with { Company = company };

    public Part AtEnd() => this with { Last = true };

    private static bool IsNameOfAttribute(string name) => name[0] == '@';
}
