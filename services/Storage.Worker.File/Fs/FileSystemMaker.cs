using Storage.Contracts;

namespace Storage.Worker.File;

/// <summary>Makes file systems with the host's mkfs.</summary>
public sealed class FileSystemMaker(IToolRunner tools, DeviceSignatures signatures, DeviceClaim claim)
{
    private const string Field = "source.devices[0].path";

    /// <summary>What programs, kernel and libblkid call a file system, where that is not its format's name.</summary>
    private static readonly Dictionary<string, string> NamesOnHost = new(StringComparer.Ordinal) { ["hfs+"] = "hfsplus" };

    public static string NameOnHost(string format) => NamesOnHost.GetValueOrDefault(format, format);

    /// <summary>The program that makes a format.</summary>
    public static string ProgramOf(string format) => $"mkfs.{NameOnHost(format)}";

    /// <summary>Told not to ask, where the tool would, and for this host alone what could be a cluster's: mkfs.gfs2(8), mkfs.ocfs2(8).</summary>
    public static HostCommand Command(string format, string device)
    {
        string[] options = format switch
        {
            "xfs" => ["-f"],
            "ext2" or "ext3" or "ext4" => ["-F"],
            "vfat" => ["-I"],
            "gfs2" => ["-O", "-p", "lock_nolock"],
            "ocfs2" => ["-M", "local"],
            // Else with a partition table in front of it, which is a signature of its own.
            "udf" => ["--bootarea=erase"],
            _ => [],
        };
        // A large device takes its time, and discarding shows no sign of life.
        return new HostCommand("mkfs", ["-t", NameOnHost(format), .. options, device]) { Deadline = TimeSpan.FromHours(2), StallLimit = null };
    }

    /// <summary>Whether the device must be made into the format; see <see cref="DeviceClaim.MustMakeAsync"/> for what is refused.</summary>
    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.UnsupportedConfiguration"/>: the format <c>auto</c> cannot be made. <see cref="ErrorCodes.Unavailable"/>: the host
    /// has no tool for the format.
    /// </exception>
    public Task<bool> MustMakeAsync(string device, string format, bool overwrite, bool remade, CancellationToken cancellationToken) => claim.MustMakeAsync(
        device, Field, found => found.Count > 0 && Is(format, found), () => RequireMakeable(format), overwrite, remade, cancellationToken);

    /// <summary>Makes it. A failure leaves a device without a usable file system.</summary>
    public async Task MakeAsync(string device, string format, CancellationToken cancellationToken)
    {
        await signatures.EraseAsync(device, cancellationToken);
        await tools.RunAsync(Command(format, device), cancellationToken);
        if (await signatures.ReadAsync(device, cancellationToken) is var made && !made.Contains(NameOnHost(format)))
            throw new StorageException(new StorageError(
                ErrorCodes.ToolFailed, $"mkfs ended well, and {device} has no {format}.", Resource: device, Tool: ProgramOf(format)));
    }

    private static void RequireMakeable(string format)
    {
        if (format == "auto")
            throw new StorageException(ErrorCodes.UnsupportedConfiguration, "To make a file system, its format must be said.", "source.format");
        if (ToolPath.Find(ProgramOf(format)) is null)
            throw new StorageException(ErrorCodes.Unavailable, $"This host cannot make {format}: {ProgramOf(format)} is not installed.", "source.format");
    }

    private static bool Is(string format, IReadOnlyList<string> found) => format == "auto" ? found.Count == 1 : found.All(type => type == NameOnHost(format));
}
