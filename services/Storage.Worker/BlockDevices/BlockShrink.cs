using Storage.Contracts;

namespace Storage.Worker;

/// <summary>Keeps a device from being cut off within what is on it.</summary>
public sealed class BlockShrink(DeviceSignatures signatures)
{
    /// <param name="size">That it is going to have, in bytes.</param>
    /// <param name="force">Also where it holds what nobody can tell the length of: a partition table, LUKS, a part of a RAID.</param>
    /// <exception cref="StorageException"><see cref="ErrorCodes.InvalidState"/>.</exception>
    public async Task RequireWithinAsync(string device, long size, bool force, CancellationToken cancellationToken)
    {
        if (FileSystemSize.Read(device) is { } found)
        {
            if (found.Bytes > size)
                throw Refused(device, $"On {device} is a file system ({found.Kind}) of {found.Bytes} bytes: it is made smaller first, or the volume is wiped.");
            return;
        }
        if (!force && await signatures.ReadAsync(device, cancellationToken) is { Count: > 0 } types)
            throw Refused(device, $"On {device} is {string.Join(", ", types.Distinct())}: nobody can tell how long that is. Who knows says force.");
    }

    private static StorageException Refused(string device, string why) =>
        new(new StorageError(ErrorCodes.InvalidState, why, "capacity", Resource: device));
}
