using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Storage.Contracts;

namespace Storage.Api;

/// <summary>A value of an enumeration in a query, by its name on the wire.</summary>
public readonly record struct WireName<T>(T Value) : IParsable<WireName<T>>
    where T : struct, Enum
{
    private static readonly Dictionary<string, T> Values = Enum.GetValues<T>().ToDictionary(value => WireNames.Of(value), StringComparer.Ordinal);

#pragma warning disable CA1000 // IParsable asks for static members.
    public static WireName<T> Parse(string s, IFormatProvider? provider) =>
        TryParse(s, provider, out var name) ? name : throw new FormatException($"'{s}' is none of {string.Join(", ", Values.Keys)}.");

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out WireName<T> result)
    {
        var found = Values.TryGetValue(s ?? "", out var value);
        result = new WireName<T>(value);
        return found;
    }
#pragma warning restore CA1000
}

public static class WireNames
{
    public static string Of(object value) => JsonSerializer.SerializeToElement(value, value.GetType(), StorageJson.Options).GetString()!;

    /// <summary>All names of an enumeration.</summary>
    public static IEnumerable<string> All(Type enumeration) => Enum.GetValues(enumeration).Cast<object>().Select(Of);
}
