using System.Globalization;
using System.Text.RegularExpressions;

namespace Storage.Contracts;

/// <summary>What a text or an attribute's value may be.</summary>
/// <param name="Words">What it is, for people.</param>
/// <param name="Has">Whether a value is of it.</param>
internal sealed record Datatype(string Words, Predicate<string> Has)
{
    private static readonly char[] Blanks = [' ', '\t', '\r', '\n'];

    /// <summary>A value of one of the types.</summary>
    public static Datatype operator |(Datatype one, Datatype other) => new($"{one.Words} or {other.Words}", value => one.Has(value) || other.Has(value));

    /// <summary>One of some words; blanks around it do not count.</summary>
    public static Datatype OneOf(params IReadOnlyList<string> words) =>
        new(words.Count == 1 ? $"'{words[0]}'" : $"one of {string.Join(", ", words)}", value => words.Contains(Trim(value)));

    /// <summary>A text that fits a pattern from its first to its last character.</summary>
    public static Datatype Like(string words, string pattern)
    {
        var regex = new Regex($@"\A(?:{pattern})\z", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        return new(words, regex.IsMatch);
    }

    /// <summary>A whole number in decimal digits.</summary>
    public static Datatype Whole(decimal min, decimal max, NumberStyles styles = NumberStyles.None) => new(
        max == decimal.MaxValue ? $"a whole number from {min} on" : $"a whole number from {min} to {max}",
        value => decimal.TryParse(value, styles, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max);

    /// <summary>Without the blanks around it.</summary>
    public static string Trim(string value) => value.Trim(Blanks);
}
