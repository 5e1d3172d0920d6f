using System.Globalization;

namespace Storage.StandIns;

/// <summary>Sizes as dog takes them: bytes, or with a suffix.</summary>
internal static class VdiSize
{
    private const string Suffixes = "BKMGTP";
    private const long Largest = 4L << 40;

    public static long Parse(string text, string usage)
    {
        var unit = text.Length > 0 ? Suffixes.IndexOf(char.ToUpperInvariant(text[^1]), StringComparison.Ordinal) : -1;
        if (!long.TryParse(unit < 0 ? text : text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            throw new DogException(
                DogExit.Usage,
                $"Invalid size '{text}'",
                "You may use B, K, M, G, T or P suffixes for bytes, kilobytes, megabytes, gigabytes, terabytes and petabytes.")
            {
                Usage = usage,
            };
        }
        var size = number << (10 * Math.Max(unit, 0));
        return size <= Largest ? size : throw new DogException(
            DogExit.Usage,
            "VDI size is larger than 4.0 TB bytes, please use '-y' to create a hyper volume with size up to 16 PB bytes or use '-z' to create larger object size volume");
    }
}
