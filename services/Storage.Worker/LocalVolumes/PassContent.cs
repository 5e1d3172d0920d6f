using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Storage.Worker;

/// <summary>
/// The bytes of one pass, chunk by chunk, the same ones as often as they are asked for. Random ones are the key stream of AES in counter
/// mode, by a key that is only here and gone afterwards: nobody can foretell them, and none of them has to be kept to be compared.
/// </summary>
internal sealed class PassContent : IDisposable
{
    private const int BlockSize = 16;

    private readonly byte[] buffer;
    private readonly Aes? random;

    /// <param name="chunk">How much is asked for at once at most; a multiple of the pattern's length.</param>
    public PassContent(WipePass pass, int chunk)
    {
        buffer = new byte[(chunk + BlockSize - 1) / BlockSize * BlockSize];
        if (pass.IsRandom)
        {
            random = Aes.Create();
            random.KeySize = 128;
            return;
        }
        for (var i = 0; i < buffer.Length; i++)
            buffer[i] = pass.Pattern[i % pass.Pattern.Length];
    }

    /// <param name="offset">In the volume: a multiple of the chunk.</param>
    /// <returns>Good until it is asked again.</returns>
    public ReadOnlySpan<byte> At(long offset, int count)
    {
        if (random is not null)
        {
            var blocks = buffer.AsSpan(0, (count + BlockSize - 1) / BlockSize * BlockSize);
            Number(MemoryMarshal.Cast<byte, long>(blocks), offset / BlockSize);
            random.EncryptEcb(blocks, blocks, PaddingMode.None);
        }
        return buffer.AsSpan(0, count);
    }

    public void Dispose() => random?.Dispose();

    /// <summary>The blocks of 16 bytes, numbered through from the volume's start: what counter mode encrypts.</summary>
    private static void Number(Span<long> blocks, long first)
    {
        for (var i = 0; i < blocks.Length; i += 2)
            (blocks[i], blocks[i + 1]) = (first++, 0);
    }
}
