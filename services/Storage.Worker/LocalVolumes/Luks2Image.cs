using System.Text.Json;
using Microsoft.Extensions.Logging;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// LUKS 2 volumes as they are: what is in them is neither read nor written here. A copy has the header and the data of its source byte by
/// byte, so also its volume key, its LUKS uuid and its passphrases: who can open one can open the other, also after a passphrase of one of
/// them was changed.
/// </summary>
internal sealed class Luks2Image(Cryptsetup cryptsetup, ILogger logger)
{
    /// <returns>The bytes before the data, which go on to the end of the file; null for other volumes, and where the header does not say so.</returns>
    public static long? DataOffset(LocalImage image) =>
        image.ReadHeader() is { Encryption: EncryptionRules.Luks2, Problem: null, Capacity: { } capacity } ? (long)image.Status.Size - capacity : null;

    /// <summary>Copies one, and lets it grow where a larger capacity is asked for.</summary>
    /// <param name="definition">The new volume: raw, with LUKS 2, and a secret that opens the source.</param>
    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.Unsupported"/> for any other format or encryption; <see cref="ErrorCodes.SecretWrong"/> where the new volume's
    /// secret does not open the source. Else as <see cref="IVolumeCloner.CloneVolumeAsync"/>.
    /// </exception>
    public async Task<VolumeDefinition> CloneAsync(
        LocalDirectory directory, VolumeDefinition definition, LocalImage source, bool reflink, Run run, CancellationToken cancellationToken)
    {
        var offset = DataOffset(source) ?? throw Refused(source, "Its header does not say that its data are one piece that goes on to its end.", null);
        var volume = Completed(definition, source, (long)source.Status.Size - offset);
        if (directory.Has(volume.Name))
            throw directory.Taken(volume.Name);
        await RequireOpensAsync(source, volume, run, cancellationToken);
        run.Plan = JsonSerializer.Serialize(volume, StorageJson.Options);
        var (capacity, allocation) = (volume.Capacity!.Value, volume.Allocation!.Value);
        return await new NewVolume(directory, volume, run, logger).MakeFileAsync(
            (file, _) =>
            {
                new VolumeCopy(source, file, directory.PathOf(volume.Name), run.Progress, cancellationToken)
                    .Run(offset + capacity, allocation == 0 ? 0 : offset + allocation, reflink, write: volume.Preallocation == Preallocation.Full);
                return Task.CompletedTask;
            },
            cancellationToken);
    }

    private static VolumeDefinition Completed(VolumeDefinition definition, LocalImage source, long sourceCapacity)
    {
        if (definition.Format is not (null or "raw"))
            throw Refused(source, "A copy of it is raw, as it is read by nobody here.", "format");
        if (definition.Encryption is not { Format: EncryptionRules.Luks2 })
            throw Refused(source, "A copy of it is LUKS 2 too, with a passphrase of it as its secret.", "encryption");
        if (definition.Encryption.Cipher is not null)
            throw Refused(source, "A copy of it has its cipher.", "encryption.cipher");
        var volume = VolumeCopy.Sized(definition with { Format = "raw" }, sourceCapacity);
        LocalVolumeCreator.Check(volume);
        return volume with { Capacity = Cryptsetup.Sectors(volume.Capacity!.Value) };
    }

    /// <summary>Before anything is copied: a copy that nobody opens with what its definition names is of no use.</summary>
    private async Task RequireOpensAsync(LocalImage source, VolumeDefinition volume, Run run, CancellationToken cancellationToken)
    {
        Cryptsetup.Require();
        using var secret = await LocalVolumeCreator.PassphraseAsync(volume, run, cancellationToken);
        if (!await cryptsetup.OpensAsync(source.ToolPath, secret!.Path, cancellationToken))
            throw new StorageException(new StorageError(
                ErrorCodes.SecretWrong, $"A copy has the passphrases of {source.Path}, and the value of its secret is none of them.", "encryption.secrets",
                Resource: source.Path));
    }

    private static StorageException Refused(LocalImage source, string why, string? field) =>
        new(new StorageError(ErrorCodes.Unsupported, $"{source.Path} is encrypted by LUKS 2. {why}", field, Resource: source.Path));
}
