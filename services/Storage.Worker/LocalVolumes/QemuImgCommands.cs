using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>One image of a chain, as qemu-img is told of it.</summary>
/// <param name="Format">Its format, never guessed.</param>
/// <param name="Path">A path by which it is opened.</param>
/// <param name="Secret">Its passphrase, where it is encrypted by LUKS.</param>
public sealed record ImageSource(string Format, string Path, ImageSecret? Secret = null)
{
    /// <summary>It is no file but a block device, which qemu reads otherwise.</summary>
    public bool IsDevice { get; init; }
}

/// <summary>A passphrase, as qemu-img is told of it: never itself.</summary>
/// <param name="Id">Its name among the arguments. libvirt makes it from the volume's, which not every name is fit for.</param>
/// <param name="File">A file that holds it.</param>
public sealed record ImageSecret(string Id, string File)
{
    /// <summary>That of the image that is made or changed.</summary>
    public static ImageSecret? Of(string? file) => file is null ? null : new("encrypt0", file);

    /// <summary>That of the image that is copied, and of those behind it.</summary>
    public static ImageSecret? OfSource(string? file) => file is null ? null : new("source0", file);
}

/// <summary>Makes the argument lists of qemu-img. Pure.</summary>
public static class QemuImgCommands
{
    private const string DefaultCompat = "1.1";

    /// <summary>
    /// For what ends with one call that flushes all that is in memory, and does nothing meanwhile that can be seen: a full preallocation, and a
    /// conversion where the file is a server's and is flushed when it is closed.
    /// </summary>
    private static readonly TimeSpan FlushLimit = TimeSpan.FromMinutes(10);

    private static readonly string[] WithBacking = ["cow", "qcow", "qcow2", "qed", "vmdk"];

    // For an argument, not for a web page: what JSON lets stand stays as it is.
    private static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>
    /// <c>qemu-img create -f format [-b backing -u] [--object secret] [-o options] path size</c>, the options in libvirt's order. With <c>-u</c>, which
    /// libvirt does not give, the backing store is not opened, and so neither is what its header names.
    /// </summary>
    /// <param name="program">qemu-img.</param>
    /// <param name="path">The absolute path of the file to make.</param>
    /// <param name="volume">What to make, with its format. The size is its capacity rounded up to KiB.</param>
    /// <param name="secret">Its passphrase, where it is to be encrypted.</param>
    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.UnsupportedConfiguration"/> for what the format does not have; <see cref="ErrorCodes.InvalidDefinition"/>
    /// where there is no capacity.
    /// </exception>
    public static HostCommand Create(string program, string path, VolumeDefinition volume, ImageSecret? secret = null)
    {
        CheckOptions(volume);
        if (volume.Encryption is null != secret is null)
            throw new ArgumentException("An encrypted volume, and no other, has a passphrase.", nameof(secret));
        var arguments = new List<string> { "create", "-f", Driver(new ImageSource(volume.Format!, path, secret)) };
        if (volume.BackingStore is { } backing)
            arguments.AddRange(["-b", backing.Path, "-u"]);
        arguments.AddRange(Objects(secret));
        var options = Options(volume, secret);
        if (options.Length > 0)
            arguments.AddRange(["-o", options]);
        arguments.AddRange([path, Size(volume)]);
        var command = new HostCommand(program, arguments) { Deadline = Timeout.InfiniteTimeSpan };
        return volume.Preallocation == Preallocation.Full ? command with { StallLimit = FlushLimit } : command;
    }

    /// <summary>
    /// <c>qemu-img convert -p -n [--target-is-zero] [--object secret …] -f format -O format source target</c>: into an image that is there,
    /// empty and large enough. libvirt lets convert make it (without <c>-n</c>), of the source's capacity; for encrypted images it does as
    /// here, but with <c>--image-opts</c>, which cannot say that nothing lies behind an image.
    /// </summary>
    /// <param name="source">The source's chain, from the front; nothing else is opened.</param>
    /// <param name="target">The image that is there. An encrypted one does not read as zeros.</param>
    public static HostCommand Convert(string program, IReadOnlyList<ImageSource> source, ImageSource target)
    {
        string[] zeros = target.Secret is null ? ["--target-is-zero"] : [];
        var name = target.Secret is null ? target.Path : Name([target]);
        return new HostCommand(
            program,
            ["convert", "-p", "-n", .. zeros, .. Objects(target.Secret), .. Objects(source), "-f", Driver(source[0]), "-O", Driver(target), Name(source), name])
        {
            Deadline = Timeout.InfiniteTimeSpan,
            StallLimit = FlushLimit,
        };
    }

    /// <summary>
    /// <c>qemu-img resize -f format [--shrink] [--preallocation=falloc] [--object secret] image bytes</c>, the bytes rounded up to sectors as libvirt does.
    /// </summary>
    /// <param name="image">The image's chain, from the front; nothing else is opened.</param>
    public static HostCommand Resize(string program, IReadOnlyList<ImageSource> image, VolumeResize resize)
    {
        var arguments = new List<string> { "resize", "-f", Driver(image[0]) };
        if (resize.To < resize.From)
            arguments.Add("--shrink");
        else if (resize.Allocate)
            arguments.Add("--preallocation=falloc");
        arguments.AddRange(Objects(image));
        arguments.AddRange([Name(image), Sectors(resize.To).ToString(CultureInfo.InvariantCulture)]);
        return new HostCommand(program, arguments) { Deadline = Timeout.InfiniteTimeSpan };
    }

    /// <summary>Bytes rounded up to whole sectors.</summary>
    public static long Sectors(long bytes)
    {
        const long Sector = 512;
        return bytes % Sector == 0 ? bytes : checked(bytes - bytes % Sector + Sector);
    }

    public static HostCommand Version(string program) => new(program, "--version") { Deadline = TimeSpan.FromSeconds(30) };

    /// <summary>Ends with 0 where the format can be created, and with 1 where it is not known or only read.</summary>
    public static HostCommand CreateOptions(string program, string format) =>
        new(program, "create", "-f", format, "-o", "help") { AcceptedExitCodes = [0, 1], Deadline = TimeSpan.FromSeconds(30) };

    /// <summary>Refuses options that the format does not have.</summary>
    internal static void CheckOptions(VolumeDefinition volume)
    {
        if (volume.Format != "qcow2")
        {
            Refuse(volume.Compat is not null, "compat", $"The format {volume.Format} has no compatibility level.");
            Refuse(volume.Features is not null, "features", $"The format {volume.Format} has no features.");
            Refuse(volume.ClusterSize is not null, "clusterSize", $"The cluster size of the format {volume.Format} cannot be chosen.");
            return;
        }
        Refuse(volume.Compat is not (null or "0.10" or "1.1"), "compat", $"'{volume.Compat}' is no compatibility level of qcow2: 0.10 or 1.1.");
        foreach (var feature in volume.Features ?? [])
        {
            Refuse(feature is not ("lazy_refcounts" or "extended_l2"), "features", $"The feature '{feature}' cannot be asked for.");
            Refuse(volume.Compat == "0.10", "features", $"The feature '{feature}' is not in compatibility level 0.10.");
        }
    }

    private static void Refuse(bool refused, string field, string message)
    {
        if (refused)
            throw new StorageException(ErrorCodes.UnsupportedConfiguration, message, field);
    }

    private static IEnumerable<string> Objects(IEnumerable<ImageSource> chain) =>
        chain.Select(image => image.Secret).Distinct().SelectMany(Objects);

    private static IEnumerable<string> Objects(ImageSecret? secret) =>
        secret is null ? [] : ["--object", $"secret,id={secret.Id},file={Doubled(secret.File)}"];

    private static string Options(VolumeDefinition volume, ImageSecret? secret)
    {
        var options = new List<string>();
        if (volume.BackingStore is { } backing)
            options.Add($"backing_fmt={backing.Format ?? "raw"}");
        if (secret is not null)
            options.AddRange(Encryption(volume, secret));
        if (volume.Preallocation is { } preallocation and not Preallocation.None)
            options.Add($"preallocation={preallocation.ToString().ToLowerInvariant()}");
        if (volume.NoCow)
            options.Add("nocow=on");
        if (volume.Format == "qcow2")
            options.Add($"compat={volume.Compat ?? DefaultCompat}");
        if (volume.ClusterSize is { } clusterSize)
            options.Add(string.Create(CultureInfo.InvariantCulture, $"cluster_size={clusterSize}"));
        if (volume.Features?.Contains("lazy_refcounts") == true)
            options.Add("lazy_refcounts");
        if (volume.Features?.Contains("extended_l2") == true)
            options.Add("extended_l2=on");
        return string.Join(',', options.Select(Doubled));
    }

    /// <summary>Within qcow2 they have a prefix; the raw format is LUKS itself.</summary>
    private static IEnumerable<string> Encryption(VolumeDefinition volume, ImageSecret secret)
    {
        var (prefix, cipher, ivgen) = (volume.Format == "qcow2" ? "encrypt." : "", volume.Encryption!.Cipher, volume.Encryption.Ivgen);
        if (prefix.Length > 0)
            yield return $"{prefix}format=luks";
        yield return $"{prefix}key-secret={secret.Id}";
        if (cipher is null)
            yield break;
        yield return string.Create(CultureInfo.InvariantCulture, $"{prefix}cipher-alg={cipher.Name}-{cipher.Size}");
        if (cipher.Mode is { } mode)
            yield return $"{prefix}cipher-mode={mode}";
        if (cipher.Hash is { } hash)
            yield return $"{prefix}hash-alg={hash}";
        if (ivgen is null)
            yield break;
        yield return $"{prefix}ivgen-alg={ivgen.Name}";
        if (ivgen.Hash is { } ivgenHash)
            yield return $"{prefix}ivgen-hash-alg={ivgenHash}";
    }

    private static string Doubled(string text) => text.Replace(",", ",,", StringComparison.Ordinal);

    private static string Size(VolumeDefinition volume)
    {
        const long KiB = 1024;
        return volume.Capacity is { } capacity
            ? (capacity / KiB + (capacity % KiB == 0 ? 0 : 1)).ToString(CultureInfo.InvariantCulture) + "K"
            : throw new StorageException(ErrorCodes.InvalidDefinition, "A volume without a backing store needs a capacity.", "capacity");
    }

    /// <summary>
    /// A format that cannot name other files goes by its path. For the others all of the chain is said, and where it ends, and for an
    /// encrypted image its secret.
    /// </summary>
    private static string Name(IReadOnlyList<ImageSource> chain) =>
        chain[0].Secret is not null || WithBacking.Contains(chain[0].Format) ? "json:" + Node(chain, 0).ToJsonString(Json) : chain[0].Path;

    private static JsonObject Node(IReadOnlyList<ImageSource> chain, int at)
    {
        var node = new JsonObject
        {
            ["driver"] = Driver(chain[at]),
            ["file"] = new JsonObject { ["driver"] = chain[at].IsDevice ? "host_device" : "file", ["filename"] = chain[at].Path },
        };
        if (chain[at].Secret is { } secret)
        {
            if (chain[at].Format == "qcow2")
                node["encrypt"] = new JsonObject { ["format"] = "luks", ["key-secret"] = secret.Id };
            else
                node["key-secret"] = secret.Id;
        }
        if (WithBacking.Contains(chain[at].Format))
            node["backing"] = at + 1 < chain.Count ? Node(chain, at + 1) : null;
        return node;
    }

    /// <summary>An iso image is raw to qemu; an encrypted raw one is a format of its own.</summary>
    private static string Driver(ImageSource image) => image switch
    {
        { Secret: not null, Format: "raw" or "iso" } => "luks",
        { Format: "iso" } => "raw",
        _ => image.Format,
    };
}
