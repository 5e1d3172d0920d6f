using System.Globalization;
using Storage.Contracts;

namespace Storage.Worker.Block;

/// <summary>
/// Reads and changes partition tables by parted(8): it writes each change at once, and tells the kernel, which makes and removes the devices
/// of partitions. All sizes are bytes. Nothing here asks whether a change is wise. The disk is to be locked: it is opened for writing even to be read.
/// </summary>
public sealed class Parted(IToolRunner tools)
{
    public const string Tool = "parted";

    /// <summary>Comes with it.</summary>
    public const string Teller = "partprobe";

    private const string NoLabel = "unrecognised disk label";

    /// <summary>The first that prints JSON, and with it the kinds of partitions.</summary>
    private static readonly Version Oldest = new(3, 5);

    /// <summary>
    /// Debian's libparted runs <c>udevadm settle</c> before and after each change, which waits for all of udev's events; udev puts those of a locked disk
    /// off until it is let go. Where no program is found, nothing is waited for.
    /// </summary>
    private static readonly Dictionary<string, string> WithoutPrograms = new() { ["PATH"] = "/dev/null" };

    /// <summary>Why this host's cannot be used; null where it can.</summary>
    public async Task<string?> ReasonAsync(CancellationToken cancellationToken)
    {
        if (ToolPath.Find(Tool) is null)
            return $"{Tool} not installed";
        var printed = (await tools.RunAsync(new HostCommand(Tool, "--version"), cancellationToken)).Stdout;
        return Parse(printed) is { } version && version >= Oldest ? null : $"{Tool} is older than {Oldest}";
    }

    /// <summary>The version in what <c>parted --version</c> prints; null where there is none.</summary>
    public static Version? Parse(string printed)
    {
        var word = printed.Split('\n')[0].Split(' ', StringSplitOptions.RemoveEmptyEntries).LastOrDefault() ?? "";
        var digits = new string([.. word.TakeWhile(letter => char.IsAsciiDigit(letter) || letter == '.')]);
        return Version.TryParse(digits, out var version) ? version : null;
    }

    /// <returns>Null where the device has no partition table.</returns>
    public async Task<PartitionTable?> ReadAsync(string device, CancellationToken cancellationToken)
    {
        var output = await RunAsync(
            new HostCommand(Tool, "--script", "--json", device, "unit", "B", "print", "free") { AcceptedExitCodes = [0, 1] }, cancellationToken);
        if (output.ExitCode == 0 || output.Stderr.Contains(NoLabel, StringComparison.Ordinal))
            return output.Stdout.Length == 0 ? null : PartitionTable.Parse(output.Stdout);
        throw new StorageException(new StorageError(
            ErrorCodes.ToolFailed, $"The partition table of {device} cannot be read.", Resource: device, Tool: Tool, Stderr: output.Stderr));
    }

    public Task MakeLabelAsync(string device, string label, CancellationToken cancellationToken) =>
        RunAsync(Script(device, "mklabel", label == "dos" ? "msdos" : label), cancellationToken);

    /// <param name="fileSystem">Chooses the type that the table has for the partition; no file system is made.</param>
    /// <param name="end">Exclusive.</param>
    public Task AddAsync(string device, PartitionKind kind, string? fileSystem, long start, long end, CancellationToken cancellationToken) => RunAsync(
        Script(device, ["mkpart", kind.ToString().ToLowerInvariant(), .. fileSystem is null ? Array.Empty<string>() : [fileSystem], Bytes(start), Bytes(end - 1)]),
        cancellationToken);

    public Task SetFlagAsync(string device, int number, string flag, CancellationToken cancellationToken) =>
        RunAsync(Script(device, "set", Text(number), flag, "on"), cancellationToken);

    public Task RemoveAsync(string device, int number, CancellationToken cancellationToken) =>
        RunAsync(Script(device, "rm", Text(number)), cancellationToken);

    /// <summary>Moves the end of a partition. parted asks where that could lose data or the partition is used: it has been decided already.</summary>
    /// <param name="end">Exclusive.</param>
    public Task ResizeAsync(string device, int number, long end, CancellationToken cancellationToken) => RunAsync(
        new HostCommand(Tool, "---pretend-input-tty", device, "unit", "B", "resizepart", Text(number), Bytes(end - 1)) { Input = "Yes\nYes\n" },
        cancellationToken);

    /// <summary>Tells the kernel of all partitions of a table: one that came with a loop device, or from another host, is not known to it.</summary>
    public Task TellKernelAsync(string device, CancellationToken cancellationToken) => RunAsync(new HostCommand(Teller, device), cancellationToken);

    private Task<ToolOutput> RunAsync(HostCommand command, CancellationToken cancellationToken) =>
        tools.RunAsync(command with { Variables = WithoutPrograms }, cancellationToken);

    private static HostCommand Script(string device, params IReadOnlyList<string> words) => new(Tool, ["--script", device, .. words]);

    private static string Bytes(long bytes) => Text(bytes) + "B";

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
