using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// Makes LUKS of version 2, which qemu-img does not know, by cryptsetup(8). It works on files, without a mapping and without the kernel's help;
/// what is in such a volume is read and written through a mapping alone.
/// </summary>
public sealed class Cryptsetup(IToolRunner tools)
{
    /// <summary>Bytes before the data, as cryptsetup lays them out by default.</summary>
    public const long HeaderSize = 16 << 20;

    /// <summary>Of which a capacity is a multiple.</summary>
    public const long SectorSize = 4096;

    private const string Tool = "cryptsetup";

    /// <summary>Whether volumes can be encrypted so here, and why not.</summary>
    public static FormatSupport Support => ToolPath.Find(Tool) is null
        ? new FormatSupport(EncryptionRules.Luks2, false, $"{Tool} is not installed")
        : new FormatSupport(EncryptionRules.Luks2, true);

    /// <exception cref="StorageException"><see cref="ErrorCodes.Unavailable"/> where this host cannot.</exception>
    public static void Require()
    {
        if (!Support.Available)
            throw new StorageException(ErrorCodes.Unavailable, $"A volume with LUKS 2 cannot be made here: {Support.Reason}.", "encryption.format");
    }

    /// <summary>Puts a header with one key into a file that is long enough.</summary>
    /// <param name="path">The file.</param>
    /// <param name="passphrase">A file with the passphrase, all of it.</param>
    /// <param name="encryption">With the cipher, where it is not cryptsetup's own choice.</param>
    /// <exception cref="StorageException">As <see cref="CryptsetupCommands.CheckCipher"/>; as <see cref="IToolRunner.RunAsync"/>, also for a cipher that the kernel does not have.</exception>
    public Task FormatAsync(string path, string passphrase, VolumeEncryption encryption, CancellationToken cancellationToken) =>
        tools.RunAsync(CryptsetupCommands.Format(path, passphrase, encryption), cancellationToken);

    /// <summary>Whether a passphrase opens a volume. Nothing is mapped or changed; it takes as long as the volume's derivation of keys.</summary>
    /// <param name="path">The volume.</param>
    /// <param name="passphrase">As of <see cref="FormatAsync"/>.</param>
    /// <exception cref="StorageException">As <see cref="IToolRunner.RunAsync"/>.</exception>
    public async Task<bool> OpensAsync(string path, string passphrase, CancellationToken cancellationToken) =>
        (await tools.RunAsync(CryptsetupCommands.TestPassphrase(path, passphrase), cancellationToken)).ExitCode == 0;

    /// <summary>Bytes rounded up to whole sectors.</summary>
    public static long Sectors(long bytes) => checked((bytes + SectorSize - 1) / SectorSize * SectorSize);
}

/// <summary>The tools that make and change volumes in local directories.</summary>
public sealed record VolumeTools(QemuImg QemuImg, Ploop Ploop, Cryptsetup Cryptsetup);
