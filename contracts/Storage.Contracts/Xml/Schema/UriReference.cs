namespace Storage.Contracts;

/// <summary>A URI or a relative reference of RFC 3986. As in an XML schema, a character that no URI may have counts as if it were escaped.</summary>
internal static class UriReference
{
    private const string Escape = "%[0-9a-fA-F]{2}";
    private const string Piece = $@"(?:[^%/?#\[\]]|{Escape})";
    private const string PieceWithoutColon = $@"(?:[^%/?#\[\]:]|{Escape})";
    private const string User = $@"(?:[^%/?#\[\]@]|{Escape})*@";
    private const string HostName = $@"(?:[^%/?#\[\]:@]|{Escape})*";
    private const string Authority = $@"//(?:{User})?(?:\[[^\]]*\]|{HostName})(?::[0-9]+)?";

    private const string Rest = $"(?:/{Piece}*)*";
    private const string Rooted = $"/(?:{Piece}+{Rest})?";
    private const string Absolute = $"[a-zA-Z][a-zA-Z0-9+.-]*:(?:{Authority}{Rest}|{Rooted}|(?:{Piece}+{Rest})?)";
    private const string Relative = $"{Authority}{Rest}|{Rooted}|(?:{PieceWithoutColon}+{Rest})?";
    private const string Tail = $@"(?:\?(?:{Piece}|[/?])*)?(?:#(?:{Piece}|[/?\[\]])*)?";

    private static readonly Datatype Trimmed = Datatype.Like("a URI", $"(?:{Absolute}|{Relative}){Tail}");

    public static readonly Datatype Datatype = Trimmed with { Has = value => Trimmed.Has(Datatype.Trim(value)) };
}
