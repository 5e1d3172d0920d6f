using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// Encrypts new block devices by LUKS of version 1, made by qemu-img as qemu opens it. The header is on the device itself, in front of the content,
/// which goes on to its end.
/// </summary>
public sealed class BlockEncryption(QemuImg qemuImg)
{
    /// <summary>What a device has more than the content that is asked for, in bytes: libvirt's figure. The header with its eight keys takes less.</summary>
    public const long Room = 2 << 20;

    private const int Attempts = 8;

    /// <summary>The definition with room for the header, where there is to be one.</summary>
    public static VolumeDefinition WithRoom(VolumeDefinition volume) =>
        volume is { Encryption: not null, Capacity: { } capacity } ? volume with { Capacity = checked(capacity + Room) } : volume;

    /// <summary>Refuses, before anything is made, what cannot be encrypted here.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.Unsupported"/>, <see cref="ErrorCodes.Unavailable"/>, <see cref="ErrorCodes.InvalidDefinition"/>.</exception>
    public async Task RequireAsync(VolumeDefinition volume, CancellationToken cancellationToken)
    {
        if (volume.Encryption is not { } encryption)
            return;
        if (encryption.Format != EncryptionRules.Luks)
            throw new StorageException(ErrorCodes.Unsupported, $"Nothing here makes '{encryption.Format}' encryption of a device, only luks.", "encryption.format");
        if (encryption.Engine is not (null or "qemu"))
            throw new StorageException(ErrorCodes.Unsupported, $"A device is not encrypted by {encryption.Engine}.", "encryption.engine");
        if (encryption.Secrets is not [_])
            throw new StorageException(ErrorCodes.InvalidDefinition, "An encrypted volume is made with exactly one secret.", "encryption.secrets");
        // Of a copy it is known later.
        await qemuImg.RequireAsync(AsImage(volume with { Capacity = volume.Capacity ?? 0 }), cancellationToken);
    }

    /// <summary>Puts a header with the volume's passphrase on a device that nobody uses; what was there is gone.</summary>
    /// <param name="volume">With the capacity that its content is to have at least.</param>
    public async Task FormatAsync(string path, VolumeDefinition volume, Run run, CancellationToken cancellationToken)
    {
        using var device = BlockDevice.OpenToChange(path);
        using var secret = await SecretFile.OfPassphraseAsync(volume.Encryption!.Secrets![0], run, cancellationToken);
        await FormatAsync(device, volume, ImageSecret.Of(secret.Path)!, cancellationToken);
        new FileFlush(device.File, device.Path).Flush();
    }

    internal async Task FormatAsync(BlockDevice device, VolumeDefinition volume, ImageSecret secret, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await qemuImg.CreateAsync(device.ToolPath, AsImage(volume), secret, cancellationToken);
                break;
            }
            catch (StorageException e) when (attempt < Attempts && QemuImg.GaveUpMeasuring(e))
            {
                // Another time it may succeed; the device is still there.
            }
        }
        if (BlockVolume.EncryptionOf(device)?.Format != EncryptionRules.Luks)
            throw new StorageException(new StorageError(ErrorCodes.ToolFailed, $"{QemuImg.Name} made no LUKS of {device.Path}.", Resource: device.Path, Tool: QemuImg.Name));
    }

    /// <summary>What qemu-img has to do with: its format is not that of a partition, and where it lies is not its affair.</summary>
    private static VolumeDefinition AsImage(VolumeDefinition volume) =>
        new() { Name = volume.Name, Format = "raw", Capacity = volume.Capacity, Allocation = 0, Encryption = volume.Encryption };
}
