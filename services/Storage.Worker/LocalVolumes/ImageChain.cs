using Storage.Contracts;
using Storage.Contracts.Images;

namespace Storage.Worker;

/// <summary>
/// An image with all that lies behind it, each file opened and judged here. A tool is given the whole chain by these open files, so that
/// it opens none that a header names: a guest may have written it. What is accepted: files in a directory of the pools concerned, each
/// with a format that the image before it names (an image of VMware's implies it) and that its own header confirms. The image in front may be
/// encrypted by LUKS 1. Refused: all other encryption, external data files, anything but a path, a backing file of which nobody says the format.
/// </summary>
internal sealed class ImageChain : IDisposable
{
    private const int Longest = 64;
    private const string Vmdk = "vmdk";

    private readonly List<(LocalImage Image, string Format)> images = [];

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
    public bool Encrypted => Header?.Encryption is not null;

    /// <summary>From the front to the end, as tools are told it.</summary>
    /// <param name="secret">Opens the image in front; null where it is not encrypted.</param>
    public IReadOnlyList<ImageSource> Sources(ImageSecret? secret) =>
        [.. images.Select((row, at) => new ImageSource(row.Format, row.Image.ToolPath, at == 0 ? secret : null))];

    /// <summary>The passphrase of the image in front, as a file; null where it is not encrypted.</summary>
    /// <param name="given">Absent is the secret whose usage is the image's path.</param>
    /// <exception cref="StorageException">As <see cref="SecretFile.OfPassphraseAsync"/>.</exception>
    public async Task<SecretFile?> UnlockAsync(SecretReference? given, Run run, CancellationToken cancellationToken) =>
        Encrypted ? await SecretFile.OfPassphraseAsync(given ?? new SecretReference(Usage: Front.Path), run, cancellationToken) : null;

    /// <param name="front">The image; it is closed with the chain, also where the chain is refused.</param>
    /// <param name="within">Where a backing file may lie; the first is the image's own directory.</param>
    /// <exception cref="StorageException"><see cref="ErrorCodes.Unsupported"/>, or what opening a file says.</exception>
    public static ImageChain Open(LocalImage front, params IReadOnlyList<LocalDirectory> within)
    {
        try
        {
            var header = front.ReadHeader();
            var chain = new ImageChain(header.Format, header, (long)front.Status.Size);
            try
            {
                chain.Follow(front, header, within);
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
        foreach (var (image, _) in images)
            image.Dispose();
    }

    private void Follow(LocalImage image, ImageHeader header, IReadOnlyList<LocalDirectory> within)
    {
        images.Add((image, header.Format));
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
            if (!PoolTypes.FileFormats.Contains(format) || format == "dir")
                throw Refused(image, $"says that its backing store has the format '{format}', which is none");
            // As qemu does, from where the image is named.
            var path = backing.StartsWith('/') ? backing : Path.Combine(Path.GetDirectoryName(image.Path)!, backing);
            image = LocalImage.OpenToRead(path, within);
            images.Add((image, format));
            if (format == "raw")
                return;
            header = image.ReadHeader();
            if (header.Format != format)
                throw Refused(image, $"is {header.Format}, not {format} as the image before it says");
        }
    }

    private static void Check(LocalImage image, ImageHeader header, bool isFront)
    {
        if (header.Problem is { } problem)
            throw Refused(image, $"cannot be read: {problem}");
        if (header.Encryption is not null && !isFront)
            throw Refused(image, "is encrypted and lies behind another image, for which no secret can be named");
        if (header.Encryption is not (null or EncryptionRules.Luks))
            throw Refused(image, "has an encryption that qemu gave up");
        // Version 1 says where its data begins.
        if (header is { Encryption: not null, Format: "raw", Capacity: null })
            throw Refused(image, "is encrypted by LUKS 2, which qemu-img does not open");
        if (header.DataFile is not null || header.Features?.Contains("data_file") == true)
            throw Refused(image, "has its data in another file");
        // Such a one names the files that hold its data.
        if (header is { Format: Vmdk, Capacity: null or 0 })
            throw Refused(image, "has its data in other files");
    }

    private static StorageException Refused(LocalImage image, string why) =>
        new(new StorageError(ErrorCodes.Unsupported, $"{image.Path} {why}.", Resource: image.Path));
}
