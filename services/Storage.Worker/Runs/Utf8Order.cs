using System.Text;

namespace Storage.Worker;

/// <summary>
/// The order of the UTF-8 bytes of two strings, which is the order of their code points: ordinal order but for surrogates, which
/// stand for code points above all others.
/// </summary>
public sealed class Utf8Order : IComparer<string>
{
    public static Utf8Order Comparer { get; } = new();

    public int Compare(string? x, string? y)
    {
        if (x is null || y is null)
            return x is null ? y is null ? 0 : -1 : 1;
        var same = x.AsSpan().CommonPrefixLength(y);
        if (same == x.Length || same == y.Length)
            return x.Length - y.Length;
        return Rank(x[same]) - Rank(y[same]);
    }

    /// <summary>Whether it has UTF-8 bytes at all: no surrogate stands alone.</summary>
    public static bool IsWellFormed(string text)
    {
        for (var rest = text.AsSpan(); !rest.IsEmpty;)
        {
            if (Rune.DecodeFromUtf16(rest, out _, out var read) != System.Buffers.OperationStatus.Done)
                return false;
            rest = rest[read..];
        }
        return true;
    }

    private static int Rank(char c) => char.IsSurrogate(c) ? c + 0x10000 : c;
}
