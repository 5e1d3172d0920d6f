using Storage.Contracts;
using Storage.Contracts.Images;

namespace Storage.Worker;

/// <summary>
/// An image with all that lies behind it, each file opened and judged here. A tool is given the whole chain by these open files, so that
/// it opens none that a header names: a guest may have written it. What is accepted: files where a backing store may lie (<see cref="BackingPlaces"/>), each
/// with a format that the image before it names (an image of VMware's implies it) and that its own header confirms. Any of them may be encrypted
/// by LUKS 1; one secret opens them all. (A secret for each, by its path, would open whatever image a guest writes into its header.) The image in
/// front may be one of LUKS 2, which no tool is given. Refused: all other encryption, external data files, anything but a path, a backing file of
/// which nobody says the format.
/// </summary>
internal sealed class ImageChain : IDisposable
{
    private const int Longest = 64;
    private const string Vmdk = "vmdk";

    private readonly List<Link> images = [];

    private ImageChain(string format, ImageHeader? header, long fileSize)
    {
        Format = format;
        Header = header;
        Capacity = header is null ? fileSize : header.Capacity ?? fileSize;
    }

    /// <summary>Of the image in front.</summary>
    public string Format { get; }

    /// <summary>Bytes that a guest sees.</summary>
    public long Capacity { get; }

    /// <summary>Of the image in front.</summary>
    public ImageHeader? Header { get; }

    public LocalImage Front => images[0].Image;

    public bool HasBacking => images.Count > 1;

    /// <summary>The image in front is encrypted: only who has its passphrase reads it.</summary>
    public bool Encrypted => images[0].Encrypted;

    /// <summary>From the front to the end, as tools are told it.</summary>
    /// <param name="secret">Opens what is encrypted; null where nothing is.</param>
    public IReadOnlyList<ImageSource> Sources(ImageSecret? secret) =>
        [.. images.Select(link => new ImageSource(link.Format, link.Image.ToolPath, link.Encrypted ? secret : null))];

    /// <summary>The passphrase of all that is encrypted, as a file; null where nothing is.</summary>
    /// <param name="given">Absent is the secret whose usage is the path of the image in front, where that is encrypted itself.</param>
    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.InvalidArgument"/> where a secret must be said; <see cref="ErrorCodes.Unsupported"/> for LUKS 2; what <see cref="SecretFile.OfPassphraseAsync"/> says.
    /// </exception>
    public async Task<SecretFile?> UnlockAsync(SecretReference? given, Run run, CancellationToken cancellationToken)
    {
        if (images.Find(link => link.Encrypted) is not { } encrypted)
            return null;
        if (Header?.Encryption == EncryptionRules.Luks2)
            throw OfLuks2(Front);
        if (given is null && !Encrypted)
            throw new StorageException(new StorageError(
                ErrorCodes.InvalidArgument, $"{encrypted.Image.Path}, which lies behind {Front.Path}, is encrypted: its secret must be said.", Resource: encrypted.Image.Path));
        return await SecretFile.OfPassphraseAsync(given ?? new SecretReference(Usage: Front.Path), run, cancellationToken);
    }

    /// <param name="front">The image; it is closed with the chain, also where the chain is refused.</param>
    /// <param name="places">Where a backing file may lie.</param>
    /// <exception cref="StorageException"><see cref="ErrorCodes.Unsupported"/>, or what opening a file says.</exception>
    public static ImageChain Open(LocalImage front, BackingPlaces places)
    {
        try
        {
            var header = front.ReadHeader();
            var chain = new ImageChain(header.Format, header, (long)front.Status.Size);
            try
            {
                chain.Follow(front, header, places);
                return chain;
            }
            catch
            {
                chain.Dispose();
                throw;
            }
        }
        catch
        {
            front.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        foreach (var link in images)
            link.Image.Dispose();
    }

    private void Follow(LocalImage image, ImageHeader header, BackingPlaces places)
    {
        images.Add(new(image, header.Format, header.Encryption is not null));
        while (true)
        {
            Check(image, header, isFront: images.Count == 1);
            if (header.BackingFile is not { } backing)
                return;
            if (images.Count == Longest)
                throw Refused(image, $"has more than {Longest} images behind it");
            var colon = backing.IndexOf(':', StringComparison.Ordinal);
            if (colon >= 0 && !backing.AsSpan(0, colon).Contains('/'))
                throw Refused(image, "names a backing store that is no file");
            var format = header.BackingFormat ?? (header.Format == Vmdk ? Vmdk : null)
                ?? throw Refused(image, "does not say the format of its backing store, and it is not guessed");
            // So qemu calls what is raw within LUKS.
            var isLuks = format == EncryptionRules.Luks;
            if (!isLuks && (!PoolTypes.FileFormats.Contains(format) || format is "dir" or Ploop.Format))
                throw Refused(image, $"says that its backing store has the format '{format}', which is none");
            // As qemu does, from where the image is named.
            var path = backing.StartsWith('/') ? backing : Path.Combine(Path.GetDirectoryName(image.Path)!, backing);
            image = LocalImage.OpenBacking(path, places);
            images.Add(new(image, isLuks ? "raw" : format, Encrypted: false));
            if (format == "raw")
                return;
            header = image.ReadHeader();
            if (isLuks ? header is not { Format: "raw", Encryption: not null } : header.Format != format)
                throw Refused(image, $"is {header.Format}, not {format} as the image before it says");
            images[^1] = images[^1] with { Encrypted = header.Encryption is not null };
        }
    }

    private static void Check(LocalImage image, ImageHeader header, bool isFront)
    {
        if (header.Problem is { } problem)
            throw Refused(image, $"cannot be read: {problem}");
        if (header.Encryption == EncryptionRules.Luks2 && !isFront)
            throw OfLuks2(image);
        if (header.Encryption is not (null or EncryptionRules.Luks or EncryptionRules.Luks2))
            throw Refused(image, "has an encryption that qemu gave up");
        if (header.DataFile is not null || header.Features?.Contains("data_file") == true)
            throw Refused(image, "has its data in another file");
        // Such a one names the files that hold its data.
        if (header is { Format: Vmdk, Capacity: null or 0 })
            throw Refused(image, "has its data in other files");
    }

    private static StorageException OfLuks2(LocalImage image) => Refused(image, "is encrypted by LUKS 2, which qemu-img does not open");

    private static StorageException Refused(LocalImage image, string why) =>
        new(new StorageError(ErrorCodes.Unsupported, $"{image.Path} {why}.", Resource: image.Path));

    /// <param name="Image">Open.</param>
    /// <param name="Format">As tools are told it.</param>
    /// <param name="Encrypted">By LUKS 1, within the format or around it.</param>
    private sealed record Link(LocalImage Image, string Format, bool Encrypted);
}
