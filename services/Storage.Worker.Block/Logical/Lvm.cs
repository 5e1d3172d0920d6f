using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Storage.Contracts;

namespace Storage.Worker.Block;

/// <summary>
/// Runs LVM2, lvm(8). Where a pool names its devices, LVM is shown these alone: others are neither opened nor waited for, and a group of the same
/// name on them is not taken for it. Nothing here asks whether a change is wise.
/// </summary>
public sealed partial class Lvm(IToolRunner tools)
{
    public const string Tool = "lvm";

    /// <summary>Merging is waited for in the process that asked for it, which prints how far it is.</summary>
    private const string PollsItself = "global/use_lvmpolld=0";

    private const int Failed = 5;

    /// <summary>The first with <c>--devices</c>.</summary>
    private static readonly Version Oldest = new(2, 3, 12);

    /// <summary>Why this host's cannot be used; null where it can.</summary>
    public async Task<string?> ReasonAsync(CancellationToken cancellationToken)
    {
        if (ToolPath.Find(Tool) is null)
            return $"{Tool} not installed";
        var printed = (await tools.RunAsync(new HostCommand(Tool, "version"), cancellationToken)).Stdout;
        return ParseVersion(printed) is { } version && version >= Oldest ? DeviceMapper.Reason() : $"{Tool} is older than 2.03.12";
    }

    /// <summary>The version in what <c>lvm version</c> prints; null where there is none.</summary>
    public static Version? ParseVersion(string printed) =>
        VersionLine().Match(printed) is { Success: true } found && Version.TryParse(found.Groups[1].Value, out var version) ? version : null;

    /// <summary>The devices of a pool by the kernel's names, those that are there; null where the pool names none, and LVM is to look at all.</summary>
    public static IReadOnlyList<string>? DevicesOf(PoolDefinition pool) => pool.Source.Devices.Count == 0 ? null
        : [.. pool.Source.Devices.Select(device => DeviceUse.FindNumber(device.Path)).OfType<string>().Select(number => $"/dev/{DeviceUse.NameOf(number)}").Distinct()];

    /// <summary>The groups of a name: more than one where there are several of it; all groups where the name is null.</summary>
    /// <param name="devices">Null is all of the host.</param>
    public async Task<IReadOnlyList<VolumeGroup>> ReadAsync(string? name, IReadOnlyList<string>? devices, CancellationToken cancellationToken)
    {
        if (devices is { Count: 0 })
            return [];
        IReadOnlyList<string> select = name is null ? [] : ["--select", $"vg_name={name}"];
        var command = Command("fullreport", devices, ["--all", "--reportformat", "json", "--units", "b", "--nosuffix", .. select, .. VolumeGroup.Columns]);
        // A selection that nothing meets is answered with everything.
        return [.. VolumeGroup.Parse((await tools.RunAsync(command, cancellationToken)).Stdout).Where(group => name is null || group.Name == name)];
    }

    /// <summary>The group of a pool; null where there is none.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.InvalidState"/>: there are two, and nothing says which is meant.</exception>
    public async Task<VolumeGroup?> FindAsync(PoolDefinition pool, CancellationToken cancellationToken) =>
        await ReadAsync(pool.Source.Name!, DevicesOf(pool), cancellationToken) switch
        {
            [] => null,
            [var only] => only,
            var several => throw Several(several),
        };

    /// <exception cref="StorageException">As <see cref="FindAsync"/>; <see cref="ErrorCodes.HostFailure"/>: there is none.</exception>
    public async Task<VolumeGroup> RequireAsync(PoolDefinition pool, CancellationToken cancellationToken) =>
        await FindAsync(pool, cancellationToken) ?? throw new StorageException(new StorageError(
            ErrorCodes.HostFailure,
            $"There is no volume group '{pool.Source.Name}'{(pool.Source.Devices.Count > 0 ? " on the devices of the pool" : "")}.", "source.name", Resource: pool.Source.Name, Retryable: true));

    /// <summary>LVM itself goes by names, and would take any of them.</summary>
    public static StorageException Several(IReadOnlyList<VolumeGroup> groups) => new(new StorageError(
        ErrorCodes.InvalidState,
        $"There are {groups.Count} volume groups '{groups[0].Name}', on {string.Join("; and on ", groups.Select(group => string.Join(", ", group.Devices.Select(device => device.Name))))}: one has to be renamed (vgrename).",
        "source.name", Resource: groups[0].Name));

    /// <summary>What LVM says of devices, also of those that are in no group; those that it does not know are left out.</summary>
    public async Task<IReadOnlyList<PhysicalVolume>> ReadDevicesAsync(IReadOnlyList<string> devices, CancellationToken cancellationToken)
    {
        var command = Command("pvs", devices, ["--reportformat", "json", "--options", "pv_name,pv_uuid,pv_missing,vg_name"]);
        try
        {
            using var document = JsonDocument.Parse((await tools.RunAsync(command, cancellationToken)).Stdout);
            return [.. document.RootElement.GetProperty("report")[0].GetProperty("pv").EnumerateArray().Select(row => new PhysicalVolume(
                row.GetProperty("pv_name").GetString()!, row.GetProperty("pv_uuid").GetString()!, row.GetProperty("pv_missing").GetString() is { Length: > 0 },
                row.GetProperty("vg_name").GetString()!))];
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new StorageException(new StorageError(ErrorCodes.ToolFailed, $"{Tool} printed what is no report: {e.Message}", Tool: Tool));
        }
    }

    /// <summary>Changes something.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.NoSpace"/>; <see cref="ErrorCodes.ToolFailed"/>.</exception>
    public async Task ChangeAsync(string verb, IReadOnlyList<string>? devices, IReadOnlyList<string> words, CancellationToken cancellationToken)
    {
        try
        {
            await tools.RunAsync(Command(verb, devices, words), cancellationToken);
        }
        catch (StorageException e) when (e.Error is { Code: ErrorCodes.ToolFailed, Stderr: { } printed } && NoSpace().IsMatch(printed))
        {
            throw new StorageException(e.Error with { Code = ErrorCodes.NoSpace, Field = "capacity" }, e);
        }
    }

    /// <summary>Has all volumes of a group active, or none. Where devices are missing, what can be is made active.</summary>
    public Task ActivateAsync(VolumeGroup group, bool active, IReadOnlyList<string>? devices, CancellationToken cancellationToken) => tools.RunAsync(
        Command("vgchange", devices, ["--activate", active ? "y" : "n", group.Name]) with { AcceptedExitCodes = group.Missing > 0 && active ? [0, Failed] : [0] },
        cancellationToken);

    /// <summary>Makes one volume inactive and active again.</summary>
    public async Task ReactivateAsync(string group, string volume, IReadOnlyList<string>? devices, CancellationToken cancellationToken)
    {
        foreach (var active in new[] { "n", "y" })
            await tools.RunAsync(Command("lvchange", devices, ["--activate", active, $"{group}/{volume}"]), cancellationToken);
    }

    /// <summary>Begins to merge a snapshot, and ends when it is merged. It goes on in the kernel when the tool is killed.</summary>
    public Task MergeAsync(string group, string snapshot, IReadOnlyList<string>? devices, IProgress<OperationProgress> progress, CancellationToken cancellationToken) =>
        PollAsync("lvconvert", devices, ["--merge", "--interval", "1", $"{group}/{snapshot}"], progress, cancellationToken);

    /// <summary>Ends when a merge that has begun is complete; does what is left to do then.</summary>
    public Task EndMergeAsync(string group, string origin, IReadOnlyList<string>? devices, IProgress<OperationProgress> progress, CancellationToken cancellationToken) =>
        PollAsync("lvpoll", devices, ["--polloperation", "merge", "--interval", "1", $"{group}/{origin}"], progress, cancellationToken);

    private Task<ToolOutput> PollAsync(
        string verb, IReadOnlyList<string>? devices, IReadOnlyList<string> words, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        var command = Command(verb, devices, ["--config", PollsItself, .. words]) with
        {
            Deadline = TimeSpan.FromDays(7),
            OnOutput = printed =>
            {
                if (Merged().Matches(printed) is [.., var last] && double.TryParse(last.Groups[1].Value, CultureInfo.InvariantCulture, out var percent))
                    progress.Report(new OperationProgress(percent));
            },
        };
        return tools.RunAsync(command, cancellationToken);
    }

    private static HostCommand Command(string verb, IReadOnlyList<string>? devices, IReadOnlyList<string> words) =>
        new(Tool, [verb, .. devices is null ? Array.Empty<string>() : ["--devices", string.Join(',', devices)], .. words]);

    [GeneratedRegex(@"LVM version:\s+([0-9]+\.[0-9]+\.[0-9]+)")]
    private static partial Regex VersionLine();

    [GeneratedRegex(@"insufficient (free|suitable)|not enough (free|allocatable)", RegexOptions.IgnoreCase)]
    private static partial Regex NoSpace();

    [GeneratedRegex(@"Merged: ([0-9.]+)%")]
    private static partial Regex Merged();
}
