using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;
using Storage.Contracts;
using Storage.Contracts.Images;

namespace Storage.Worker;

/// <summary>
/// Copies files between local directories of this host. What is to stay as it is, is copied byte by byte in this process, holes as holes
/// and blocks shared where the file system can and the definition does not ask for blocks of its own. All else goes through qemu-img, which
/// is told every file of the source's chain (<see cref="ImageChain"/>) and opens no other. A copy has no backing store: it holds all of
/// the content itself. LUKS 2, which qemu-img does not know, stays as it is (<see cref="Luks2Image"/>).
/// </summary>
public sealed class LocalVolumeCloner(VolumeTools tools, ILogger<LocalVolumeCloner> logger)
{
    /// <summary>
    /// As <see cref="IVolumeCloner.CloneVolumeAsync"/>. Directories and devices are refused. An encrypted source is opened with its secret;
    /// the copy is encrypted where its own definition says so, and plain otherwise. One of LUKS 2 is not opened: its copy has the same keys.
    /// </summary>
    /// <param name="target">The directory of the new volume's pool.</param>
    /// <param name="sourceTarget">The directory of the source's pool.</param>
    /// <param name="sourceSecret">As <see cref="CloneSource.Secret"/>.</param>
    public async Task<VolumeDefinition> CloneAsync(
        string target, VolumeDefinition definition, string sourceTarget, string sourceVolume, SecretReference? sourceSecret,
        bool reflink, Run run, CancellationToken cancellationToken)
    {
        VolumeName.CheckNew(definition.Name);
        LocalImage.CheckName(sourceVolume);
        using var directory = LocalDirectory.Open(target);
        NewVolume.RemoveHalfDone(directory, definition.Name, run);
        if (NewVolume.FindPlanned(directory, run, logger) is { } complete)
            return complete;
        using var sourceDirectory = LocalDirectory.Open(sourceTarget);
        using var source = ImageChain.Open(LocalImage.OpenToRead(sourceDirectory, sourceVolume), run.BackingPlaces.With(sourceDirectory, directory));
        if (source.Header?.Encryption == EncryptionRules.Luks2)
            return await new Luks2Image(tools.Cryptsetup, logger).CloneAsync(directory, definition, source.Front, reflink, run, cancellationToken);
        var volume = Completed(definition, source.Format, source.Capacity, source.Header!.BackingFile);
        var made = new NewVolume(directory, volume, run, logger);
        if (directory.Has(volume.Name))
            throw directory.Taken(volume.Name);
        var isSame = IsSame(volume, source);
        if (reflink && !isSame)
            throw new StorageException(ErrorCodes.Unsupported, "Only a copy of the same format, options and size can share blocks.", "reflink");
        if (!isSame)
            await tools.QemuImg.RequireAsync(volume, cancellationToken);
        using var sourceFile = await source.UnlockAsync(sourceSecret, run, cancellationToken);
        using var file = await LocalVolumeCreator.PassphraseAsync(volume, run, cancellationToken);
        var secrets = (Source: ImageSecret.OfSource(sourceFile?.Path), Made: ImageSecret.Of(file?.Path));
        run.Plan = JsonSerializer.Serialize(volume, StorageJson.Options);
        return await made.MakeFileAsync(
            (content, path) => isSame
                ? CopyAsync(source, volume, reflink, content, directory.PathOf(volume.Name), run, cancellationToken)
                : new ImageConversion(tools.QemuImg, volume, secrets.Made, run, cancellationToken)
                    .RunAsync(source.Sources(secrets.Source), source.Capacity, content, path),
            cancellationToken);
    }

    /// <summary>The definition with what it leaves to the source.</summary>
    /// <param name="backingFile">The source's own, which the definition may name.</param>
    internal static VolumeDefinition Completed(VolumeDefinition definition, string sourceFormat, long sourceCapacity, string? backingFile = null)
    {
        if (definition.BackingStore is { } backing && backing.Path != backingFile)
            throw new StorageException(
                ErrorCodes.UnsupportedConfiguration, "A copy holds all of its content: it has no backing store.", "backingStore");
        var volume = VolumeCopy.Sized(definition with { Format = definition.Format ?? sourceFormat, BackingStore = null }, sourceCapacity);
        if (volume.Format is "dir" or Ploop.Format)
            throw new StorageException(ErrorCodes.UnsupportedConfiguration, "A directory is no copy of a file.", "format");
        LocalVolumeCreator.Check(volume);
        if (volume.Encryption?.Format == EncryptionRules.Luks2)
            throw new StorageException(ErrorCodes.Unsupported, "Nothing here writes into a LUKS 2 volume.", "encryption.format");
        return volume;
    }

    /// <summary>Whether the bytes of the source's file are those that are wanted.</summary>
    private static bool IsSame(VolumeDefinition volume, ImageChain source)
    {
        if (source.Encrypted || volume.Encryption is not null)
            return false;
        if (LocalVolumeCreator.IsNative(volume))
            return source.Format is "raw" or "iso";
        var header = source.Header!;
        return volume.Format == source.Format
            && volume.Preallocation is null or Preallocation.None
            && !source.HasBacking
            && volume.Capacity == source.Capacity
            && (volume.Compat is null || volume.Compat == Compat(header))
            && (volume.ClusterSize is null || volume.ClusterSize == header.ClusterSize)
            && (volume.Features is null || volume.Features.ToHashSet().SetEquals(header.Features ?? []));
    }

    private static string Compat(ImageHeader header) => header.Compat ?? "0.10";

    private static Task CopyAsync(
        ImageChain source, VolumeDefinition volume, bool reflink, SafeFileHandle file, string path, Run run, CancellationToken cancellationToken)
    {
        var isRaw = LocalVolumeCreator.IsNative(volume);
        new VolumeCopy(source.Front, file, path, run.Progress, cancellationToken).Run(
            isRaw ? volume.Capacity!.Value : (long)source.Front.Status.Size,
            // The blocks of an image are what its content takes, whatever was asked for.
            isRaw ? volume.Allocation!.Value : 0,
            reflink, write: volume.Preallocation == Preallocation.Full);
        return Task.CompletedTask;
    }
}
