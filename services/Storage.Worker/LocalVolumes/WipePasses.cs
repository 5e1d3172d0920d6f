using Storage.Contracts;

namespace Storage.Worker;

/// <summary>One pass over the bytes of a volume.</summary>
/// <param name="Pattern">The bytes that are repeated from the volume's start on; empty for random ones.</param>
public sealed record WipePass(byte[] Pattern)
{
    public bool IsRandom => Pattern.Length == 0;
}

/// <summary>What each algorithm writes, pass by pass, as libvirt's documentation (and scrub, which it calls) describes it.</summary>
public static class WipePasses
{
    private static readonly WipePass Random = new([]);
    private static readonly WipePass Zeros = Repeated(0x00);
    private static readonly WipePass Ones = Repeated(0xFF);

    /// <summary>The three shifts of the bit pattern 100100…, then of 011011…: against MFM and RLL coding.</summary>
    private static readonly WipePass[] Shifted = [Repeated(0x92, 0x49, 0x24), Repeated(0x49, 0x24, 0x92), Repeated(0x24, 0x92, 0x49)];

    private static readonly WipePass[] Inverted = [Repeated(0x6D, 0xB6, 0xDB), Repeated(0xB6, 0xDB, 0x6D), Repeated(0xDB, 0x6D, 0xB6)];

    /// <summary>The passes in their order. What an algorithm's description calls "verify" is the reading back that each ends with.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.InvalidArgument"/> for one that overwrites nothing, or is not known.</exception>
    public static IReadOnlyList<WipePass> Of(WipeAlgorithm algorithm) => algorithm switch
    {
        WipeAlgorithm.Zero => [Zeros],
        WipeAlgorithm.Nnsa => [Random, Random, Zeros],
        WipeAlgorithm.Dod => [Random, Zeros, Ones],
        WipeAlgorithm.Bsi => [.. new byte[] { 0xFF, 0xFE, 0xFD, 0xFB, 0xF7, 0xEF, 0xDF, 0xBF, 0x7F }.Select(pattern => Repeated(pattern))],
        WipeAlgorithm.Gutmann =>
        [
            .. Randoms(4),
            Repeated(0x55),
            Repeated(0xAA),
            .. Shifted,
            .. Enumerable.Range(0, 16).Select(digit => Repeated((byte)(digit * 0x11))),
            .. Shifted,
            .. Inverted,
            .. Randoms(4),
        ],
        WipeAlgorithm.Schneier => [Zeros, Ones, .. Randoms(5)],
        WipeAlgorithm.Pfitzner7 => [.. Randoms(7)],
        WipeAlgorithm.Pfitzner33 => [.. Randoms(33)],
        WipeAlgorithm.Random => [Random],
        _ => throw new StorageException(ErrorCodes.InvalidArgument, $"'{algorithm}' overwrites nothing.", "algorithm"),
    };

    private static WipePass Repeated(params byte[] pattern) => new(pattern);

    private static IEnumerable<WipePass> Randoms(int count) => Enumerable.Repeat(Random, count);
}
