using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// Makes volumes in a local directory: raw and iso files and directories natively, the other formats and encrypted ones with qemu-img,
/// which opens no backing store, LUKS 2 with cryptsetup, ploop volumes with ploop.
/// </summary>
public sealed class LocalVolumeCreator(VolumeTools tools, ILogger<LocalVolumeCreator> logger)
{
    /// <summary>As <see cref="IVolumeCreator.CreateVolumeAsync"/>.</summary>
    /// <param name="target">The pool's directory.</param>
    /// <exception cref="StorageException">
    /// Before anything is changed: <see cref="ErrorCodes.VolumeExists"/>, <see cref="ErrorCodes.Unavailable"/> for a format that this
    /// host cannot make, or what is wrong with the definition. While it is made: <see cref="ErrorCodes.NoSpace"/>,
    /// <see cref="ErrorCodes.HostFailure"/>, or the tool's error.
    /// </exception>
    public async Task<VolumeDefinition> CreateAsync(string target, VolumeDefinition definition, Run run, CancellationToken cancellationToken)
    {
        var volume = definition with { Format = definition.Format ?? "raw" };
        VolumeName.CheckNew(volume.Name);
        Check(volume);
        using var directory = LocalDirectory.Open(target);
        NewVolume.RemoveHalfDone(directory, volume.Name, run);
        var made = new NewVolume(directory, volume, run, logger);
        if (made.FindComplete() is { } complete)
            return complete;
        if (volume.Format == "dir")
            return await made.MakeDirectoryAsync(cancellationToken);
        if (volume.Format == Ploop.Format)
            return await made.MakeDirectoryAsync(cancellationToken, path => tools.Ploop.InitAsync(path, volume, cancellationToken));
        if (volume.BackingStore is { } backing)
            volume = volume with { Capacity = BackingFile.CheckedCapacity(directory, backing, volume.Capacity, run.BackingPlaces) };
        var image = volume is { Format: "qcow2", Encryption: null, Preallocation: null or Preallocation.None } ? EmptyImage(volume) : null;
        var isLuks2 = volume.Encryption?.Format == EncryptionRules.Luks2;
        if (isLuks2)
            Cryptsetup.Require();
        else if (!IsNative(volume) && image is null)
            await tools.QemuImg.RequireAsync(volume, cancellationToken);
        using var secret = await PassphraseAsync(volume, run, cancellationToken);
        return await made.MakeFileAsync(
            async (file, path) =>
            {
                if (image is not null)
                    image.Write(file, directory.PathOf(volume.Name));
                else if (isLuks2 || IsNative(volume))
                    Fill(file, volume, isLuks2 ? Cryptsetup.HeaderSize : 0, directory.PathOf(volume.Name), run, cancellationToken);
                else
                    await CreateAsync(file, path, volume, ImageSecret.Of(secret?.Path), run, cancellationToken);
                if (isLuks2)
                    await FormatAsync(file, path, volume, secret!.Path, cancellationToken);
            },
            cancellationToken);
    }

    /// <summary>As <see cref="IVolumeCreator.CreateVolumesAsync"/>. Files without content are made together, a resumed run's one by one.</summary>
    /// <param name="target">The pool's directory.</param>
    public async Task CreateAsync(
        string target, IReadOnlyList<VolumeDefinition> definitions, Run run, Action<VolumeDefinition> onMade, CancellationToken cancellationToken)
    {
        using var directory = LocalDirectory.Open(target);
        await run.BeginAsync(cancellationToken);
        using var together = new NewFiles(onMade);
        foreach (var definition in definitions)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var volume = definition with { Format = definition.Format ?? "raw" };
            VolumeName.CheckNew(volume.Name);
            Check(volume);
            if (!run.Resumed && EmptyContent(volume, run, cancellationToken) is { } fill)
            {
                together.Add(new NewVolume(directory, volume, run, logger), fill, cancellationToken);
                continue;
            }
            together.Make(cancellationToken);
            onMade(await CreateAsync(target, volume, run, cancellationToken));
        }
        together.Make(cancellationToken);
        directory.Sync();
    }

    /// <summary>What makes a file of a volume in which nothing is written or allocated but a header; null where there is more to do.</summary>
    private static Action<SafeFileHandle, string>? EmptyContent(VolumeDefinition volume, Run run, CancellationToken cancellationToken) => volume switch
    {
        { BackingStore: not null } or { Encryption: not null } => null,
        { Format: "raw" or "iso", Capacity: >= 0, Allocation: 0 } => (file, path) => Fill(file, volume, 0, path, run, cancellationToken),
        { Format: "qcow2", Preallocation: null or Preallocation.None } when EmptyImage(volume) is { } image => image.Write,
        _ => null,
    };

    private async Task CreateAsync(
        SafeFileHandle file, string path, VolumeDefinition volume, ImageSecret? secret, Run run, CancellationToken cancellationToken)
    {
        using var growth = new FileGrowth(file, run.Progress);
        await tools.QemuImg.CreateAsync(path, volume, secret, cancellationToken);
    }

    /// <param name="header">Bytes before the data.</param>
    private static void Fill(SafeFileHandle file, VolumeDefinition volume, long header, string path, Run run, CancellationToken cancellationToken)
    {
        var capacity = header == 0 ? volume.Capacity!.Value : Cryptsetup.Sectors(volume.Capacity!.Value);
        var allocation = Math.Min(volume.Allocation ?? capacity, capacity);
        RawVolume.Fill(
            file, checked(header + capacity), allocation == 0 ? 0 : header + allocation, path, run.Progress, cancellationToken,
            write: volume.Preallocation == Preallocation.Full);
    }

    private async Task FormatAsync(SafeFileHandle file, string path, VolumeDefinition volume, string passphrase, CancellationToken cancellationToken)
    {
        await tools.Cryptsetup.FormatAsync(path, passphrase, volume.Encryption!, cancellationToken);
        var made = LocalVolumeReader.ReadHeader(file, Math.Max(0, LibC.Seek(file, 0, LibC.SeekEnd)));
        if (made?.Encryption != EncryptionRules.Luks2 || made.Capacity != Cryptsetup.Sectors(volume.Capacity!.Value))
            throw new StorageException(new StorageError(
                ErrorCodes.ToolFailed, $"cryptsetup made no LUKS 2 volume of {volume.Capacity} bytes.", Tool: "cryptsetup"));
    }

    /// <summary>The image, where it is made here; null where qemu-img makes it.</summary>
    private static Qcow2Image? EmptyImage(VolumeDefinition volume)
    {
        QemuImgCommands.CheckOptions(volume);
        return Qcow2Image.Of(volume);
    }

    /// <summary>Whether a volume is made without a tool.</summary>
    internal static bool IsNative(VolumeDefinition volume) => volume is { Format: "raw" or "iso" or "dir", Encryption: null };

    /// <summary>The passphrase of a volume that is to be encrypted, as a file; null where it is not.</summary>
    internal static async Task<SecretFile?> PassphraseAsync(VolumeDefinition volume, Run run, CancellationToken cancellationToken) =>
        volume.Encryption is { } encryption ? await SecretFile.OfPassphraseAsync(encryption.Secrets![0], run, cancellationToken) : null;

    /// <summary>Refuses a definition, with its format, that cannot be made anywhere.</summary>
    /// <exception cref="StorageException">What is wrong, with the field.</exception>
    internal static void Check(VolumeDefinition volume)
    {
        if (!PoolTypes.FileFormats.Contains(volume.Format!))
            throw new StorageException(ErrorCodes.UnsupportedConfiguration, $"There is no volume format '{volume.Format}'.", "format");
        if (volume.Encryption is { } encryption)
            Check(volume, encryption);
        if (volume.Capacity < 0 || volume.Allocation < 0)
            throw new StorageException(ErrorCodes.InvalidDefinition, "A size cannot be negative.", volume.Capacity < 0 ? "capacity" : "allocation");
        if (volume.Format == Ploop.Format)
            Ploop.Check(volume);
        if (volume.Format is not ("raw" or "iso" or "dir"))
            return;
        if (volume.BackingStore is not null)
            throw new StorageException(ErrorCodes.Unsupported, $"The format {volume.Format} has no backing store.", "backingStore");
        if (volume.Format != "dir" && volume.Capacity is null)
            throw new StorageException(ErrorCodes.InvalidDefinition, "A volume without a backing store needs a capacity.", "capacity");
        if (volume.Compat is not null || volume.Features is not null || volume.ClusterSize is not null)
            throw new StorageException(
                ErrorCodes.UnsupportedConfiguration, $"The format {volume.Format} has no compat, features or cluster size.", "format");
    }

    private static void Check(VolumeDefinition volume, VolumeEncryption encryption)
    {
        if (encryption.Format is not (EncryptionRules.Luks or EncryptionRules.Luks2))
            throw new StorageException(ErrorCodes.Unsupported, $"Nothing here makes '{encryption.Format}' encryption, only luks and luks2.", "encryption.format");
        if (encryption.Engine is not (null or "qemu"))
            throw new StorageException(ErrorCodes.Unsupported, $"A file is not encrypted by {encryption.Engine}.", "encryption.engine");
        if (volume.Format is not ("raw" or "qcow2"))
            throw new StorageException(ErrorCodes.UnsupportedConfiguration, $"A {volume.Format} volume cannot be encrypted.", "encryption");
        if (encryption.Format == EncryptionRules.Luks2 && volume.Format != "raw")
            throw new StorageException(ErrorCodes.Unsupported, "qemu reads no LUKS 2: only a raw volume can have it.", "encryption.format");
        if (encryption.Format == EncryptionRules.Luks2)
            CryptsetupCommands.CheckCipher(encryption);
        if (encryption.Secrets is not [_])
            throw new StorageException(ErrorCodes.InvalidDefinition, "An encrypted volume is made with exactly one secret.", "encryption.secrets");
    }
}
