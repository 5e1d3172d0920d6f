using System.Text.Json;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>Which volume group a device belongs to, active or not. Source of fact: pvs(8); where LVM is not installed, no group can be in use here.</summary>
public sealed class VolumeGroupMembers(IToolRunner tools)
{
    /// <summary>What libblkid calls a device of LVM.</summary>
    public const string Signature = "LVM2_member";

    private const string Tool = "lvm";
    private const int Failed = 5;
    private const string Unknown = "Failed to find physical volume";

    /// <summary>Of a device that the host's list of devices (lvmdevices(8)) leaves out, LVM would know nothing. Versions without such a list only warn.</summary>
    private const string WithoutList = "devices/use_devicesfile=0";

    /// <returns>Null where it is in no group, as far as LVM knows the device.</returns>
    /// <exception cref="StorageException"><see cref="ErrorCodes.ToolFailed"/>: LVM cannot say.</exception>
    public async Task<string?> GroupOfAsync(string device, CancellationToken cancellationToken)
    {
        if (ToolPath.Find(Tool) is null)
            return null;
        var printed = await tools.RunAsync(
            new HostCommand(Tool, "pvs", "--config", WithoutList, "--reportformat", "json", "--options", "vg_name", device) { AcceptedExitCodes = [0, Failed] }, cancellationToken);
        if (printed.ExitCode == Failed)
            return printed.Stderr.Contains(Unknown, StringComparison.Ordinal) ? null : throw new StorageException(new StorageError(
                ErrorCodes.ToolFailed, $"{Tool} cannot say whether {device} is in a volume group.", Resource: device, Tool: Tool, Stderr: printed.Stderr));
        using var document = JsonDocument.Parse(printed.Stdout);
        return document.RootElement.GetProperty("report")[0].GetProperty("pv").EnumerateArray()
            .Select(row => row.GetProperty("vg_name").GetString()).FirstOrDefault(name => !string.IsNullOrEmpty(name));
    }
}
