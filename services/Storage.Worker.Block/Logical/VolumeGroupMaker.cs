using System.Security.Cryptography;
using System.Text.Json;
using Storage.Contracts;

namespace Storage.Worker.Block;

/// <summary>
/// Makes and removes volume groups. The UUIDs of the devices are chosen and journalled before anything is written: a device that has one of
/// them and is in no group is this run's own, and nothing else is undone or gone on with.
/// </summary>
public sealed partial class VolumeGroupMaker(Lvm lvm, DeviceClaim claim, ILogger<VolumeGroupMaker> logger)
{
    /// <summary>As LVM writes UUIDs: so many letters and digits, with '-' between.</summary>
    private static readonly int[] UuidParts = [6, 4, 4, 4, 4, 4, 6];

    private const string Letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

    /// <summary>A group that is there with these devices is taken as it is, with its volumes, whatever is said.</summary>
    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.PoolBuilt"/>: there is a group of this name with other devices, or something else on one of them;
    /// <see cref="ErrorCodes.InvalidState"/>: a device is used, or in another group, overwrite or not. Else as <see cref="DeviceClaim.MustMakeAsync"/>.
    /// </exception>
    public async Task BuildAsync(PoolDefinition pool, bool overwrite, Run run, CancellationToken cancellationToken)
    {
        var name = pool.Source.Name!;
        var devices = DevicesOf(pool);
        var plan = run is { Resumed: true, Plan: { } journalled } ? ReadPlan(journalled) : devices.Select(_ => NewUuid()).ToList();
        var groups = await lvm.ReadAsync(name, null, cancellationToken);
        if (groups.Count > 1)
            throw Lvm.Several(groups);
        if (groups is [var there])
        {
            if (!Same(there, devices))
                throw new StorageException(new StorageError(
                    ErrorCodes.PoolBuilt, $"There is a volume group '{name}' already, on {string.Join(", ", there.Devices.Select(device => device.Name))}.", "source.name", Resource: name));
            await run.BeginAsync(cancellationToken);
            return;
        }
        var ours = await OwnAsync(devices, plan, cancellationToken);
        for (var i = 0; i < devices.Count; i++)
        {
            if (!ours.Contains(devices[i]))
                await claim.MustMakeAsync(devices[i], Field(i), _ => false, () => { }, overwrite, run.Resumed, cancellationToken);
        }
        run.Plan = JsonSerializer.Serialize(plan, StorageJson.Options);
        await run.BeginAsync(cancellationToken);
        try
        {
            for (var i = 0; i < devices.Count; i++)
            {
                if (ours.Contains(devices[i]))
                    continue;
                await claim.EraseAsync(devices[i], cancellationToken);
                await lvm.ChangeAsync("pvcreate", devices, ["--yes", "--uuid", plan[i], "--norestorefile", devices[i]], cancellationToken);
            }
            await lvm.ChangeAsync("vgcreate", devices, [name, .. devices], cancellationToken);
            if (await lvm.ReadAsync(name, devices, cancellationToken) is not [_])
                throw new StorageException(new StorageError(ErrorCodes.ToolFailed, $"{Lvm.Tool} ended well, and there is no volume group '{name}'.", Resource: name, Tool: Lvm.Tool));
        }
        catch when (!run.CutOff)
        {
            await UndoAsync(devices, plan);
            throw;
        }
    }

    /// <summary>Removes a group without volumes, and makes the devices that the pool names blank again. One that is gone already is removed.</summary>
    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.InvalidState"/>: there are volumes, or devices are missing. <see cref="ErrorCodes.HostFailure"/>: the group is not
    /// found, and neither is a device that it may be on.
    /// </exception>
    public async Task DeleteAsync(PoolDefinition pool, Run run, CancellationToken cancellationToken)
    {
        var devices = Lvm.DevicesOf(pool);
        var plan = run is { Resumed: true, Plan: { } journalled } ? ReadPlan(journalled) : [];
        if (await lvm.FindAsync(pool, cancellationToken) is { } group)
        {
            // vgremove would take them along.
            if (group.Volumes.Where(volume => !volume.Role.Contains("spare")).Select(volume => volume.Name).ToList() is { Count: > 0 } volumes)
                throw new StorageException(new StorageError(
                    ErrorCodes.InvalidState, $"Volume group '{group.Name}' has {volumes.Count} volumes: {string.Join(", ", volumes.Take(5))}.", Resource: group.Name));
            if (group.Missing > 0)
                throw new StorageException(new StorageError(ErrorCodes.InvalidState, $"Volume group '{group.Name}' has {group.Missing} devices that are missing.", Resource: group.Name));
            plan = [.. group.Devices.Select(device => device.Uuid)];
            run.Plan = JsonSerializer.Serialize(plan, StorageJson.Options);
            await run.BeginAsync(cancellationToken);
            await lvm.ChangeAsync("vgremove", devices, [group.Name], cancellationToken);
        }
        else if (devices is not null && DevicesOf(pool).Find(device => BlockVolume.Read(device, device) is not { Capacity: > 0 }) is { } absent)
        {
            throw new StorageException(new StorageError(
                ErrorCodes.HostFailure, $"There is no volume group '{pool.Source.Name}', and nothing can be read from {absent}: it may be there.", "source.devices", Resource: absent, Retryable: true));
        }
        if (devices is { Count: > 0 })
        {
            foreach (var device in await OwnAsync(devices, plan, cancellationToken))
                await claim.EraseAsync(device, cancellationToken);
        }
    }

    private async Task UndoAsync(IReadOnlyList<string> devices, IReadOnlyList<string> plan)
    {
        try
        {
            foreach (var device in await OwnAsync(devices, plan, CancellationToken.None))
                await claim.EraseAsync(device, CancellationToken.None);
        }
        catch (StorageException e)
        {
            LeftBehind(string.Join(", ", devices), e);
        }
    }

    /// <summary>The devices that have a UUID of the plan and are in no group.</summary>
    private async Task<IReadOnlySet<string>> OwnAsync(IReadOnlyList<string> devices, IReadOnlyList<string> plan, CancellationToken cancellationToken) =>
        plan.Count == 0 ? new HashSet<string>() : (await lvm.ReadDevicesAsync(devices, cancellationToken))
            .Where(device => device.Group.Length == 0 && plan.Contains(device.Uuid)).Select(device => device.Name).ToHashSet(StringComparer.Ordinal);

    private static bool Same(VolumeGroup group, IReadOnlyList<string> devices) =>
        group.Missing == 0 && group.Devices.Select(device => DeviceUse.FindNumber(device.Name)).ToHashSet().SetEquals(devices.Select(DeviceUse.FindNumber));

    /// <summary>By the kernel's names.</summary>
    private static List<string> DevicesOf(PoolDefinition pool)
    {
        if (pool.Source.Devices.Count == 0)
            throw new StorageException(ErrorCodes.InvalidDefinition, "A volume group is made of devices, and the pool names none.", "source.devices");
        var devices = new List<string>();
        for (var i = 0; i < pool.Source.Devices.Count; i++)
        {
            var device = $"/dev/{DeviceUse.NameOf(DeviceUse.NumberOf(pool.Source.Devices[i].Path, Field(i)))}";
            if (devices.Contains(device))
                throw new StorageException(ErrorCodes.InvalidDefinition, $"{device} is named twice.", Field(i));
            devices.Add(device);
        }
        return devices;
    }

    private static string Field(int i) => $"source.devices[{i}].path";

    private static IReadOnlyList<string> ReadPlan(string plan) => JsonSerializer.Deserialize<IReadOnlyList<string>>(plan, StorageJson.Options)!;

    private static string NewUuid() => string.Join('-', UuidParts.Select(length => RandomNumberGenerator.GetString(Letters, length)));

    [LoggerMessage(2032, LogLevel.Error, "What a failed build left on {Devices} could not be removed")]
    private partial void LeftBehind(string devices, Exception cause);
}
