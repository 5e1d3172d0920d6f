namespace Storage.Api;

/// <summary>A prefix as a range, which both databases answer from an index; their LIKE differs in case.</summary>
public static class PrefixRange
{
    /// <summary>After everything that begins with the prefix, in the order of bytes.</summary>
    public static string End(string prefix) => prefix + "\U0010FFFF";
}
