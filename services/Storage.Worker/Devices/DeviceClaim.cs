using Storage.Contracts;

namespace Storage.Worker;

/// <summary>Whether a whole device may be made into something, and the removal of all that it was before.</summary>
public sealed class DeviceClaim(DeviceSignatures signatures, VolumeGroupMembers members)
{
    /// <summary>What is at both ends of a device: labels that libblkid does not know, and what is left of old ones.</summary>
    private const long Ends = 1 << 20;

    /// <summary>What libblkid calls members of RAIDs: <c>linux_raid_member</c>, <c>isw_raid_member</c>, …</summary>
    private const string RaidMember = "_raid_member";

    /// <summary>
    /// Whether the device must be made into what is wanted. It need not be where it is that already: what is there stays. A blank device is,
    /// any other one only when <paramref name="overwrite"/> is said, and one in use never.
    /// </summary>
    /// <param name="field">The part of the definition that names it.</param>
    /// <param name="isWanted">Whether these signatures are what is wanted.</param>
    /// <param name="requireMakeable">Refuses what cannot be made here.</param>
    /// <param name="remade">A run that began to make it was cut off: what is not blank and has no signature is what it left.</param>
    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.PoolBuilt"/>: something else is on the device. <see cref="ErrorCodes.ProbeFailed"/>: it has data that nothing
    /// describes. Else as <see cref="DeviceUse.RequireFree"/>.
    /// </exception>
    public async Task<bool> MustMakeAsync(
        string device, string field, Func<IReadOnlyList<string>, bool> isWanted, Action requireMakeable, bool overwrite, bool remade, CancellationToken cancellationToken)
    {
        DeviceUse.NumberOf(device, field);
        var found = await signatures.ReadAsync(device, cancellationToken);
        if (!overwrite && isWanted(found))
            return false;
        requireMakeable();
        if (!overwrite && found.Count > 0)
            throw new StorageException(new StorageError(
                ErrorCodes.PoolBuilt, $"The device {device} holds {string.Join(", ", found.Distinct())}.", field, Resource: device));
        // One of a RAID or group that is not active is held by nobody, and is used nevertheless.
        if (found.FirstOrDefault(type => type.EndsWith(RaidMember, StringComparison.Ordinal)) is { } raid)
            throw new StorageException(new StorageError(
                ErrorCodes.InvalidState, $"The device {device} is a member of a RAID ({raid}), active or not: who knows that it is of no use any more removes that first.", field, Resource: device));
        if (found.Contains(VolumeGroupMembers.Signature) && await members.GroupOfAsync(device, cancellationToken) is { } group)
            throw new StorageException(new StorageError(
                ErrorCodes.InvalidState, $"The device {device} is in use: it is a physical volume of volume group '{group}'.", field, Resource: device));
        DeviceUse.RequireFree(device, field);
        if (!overwrite && !remade && !DeviceSignatures.IsBlank(device, field))
            throw new StorageException(new StorageError(
                ErrorCodes.ProbeFailed, $"The device {device} is not blank: it holds data that nothing describes.", field, Resource: device));
        return true;
    }

    /// <summary>Removes every signature, and writes zeros over both ends. What they described is gone.</summary>
    public async Task EraseAsync(string device, CancellationToken cancellationToken)
    {
        await signatures.EraseAsync(device, cancellationToken);
        using var opened = BlockDevice.OpenToChange(device);
        var length = Math.Min(Ends, opened.Size);
        var untold = new Progress<OperationProgress>();
        opened.WriteZeros(0, length, untold, cancellationToken);
        opened.WriteZeros(opened.Size - length, length, untold, cancellationToken);
    }
}
