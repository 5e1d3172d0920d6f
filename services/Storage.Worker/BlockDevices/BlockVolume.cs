using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// A block device of the host as a volume. Of what is on it only a header of LUKS is looked at, as who opens the volume must know of it: all else is
/// the guest's. Its capacity is that of the device also then, as libvirt's.
/// </summary>
public static class BlockVolume
{
    /// <summary>Owner, mode and label of the device file. They last as long as that: until the next start of the host, or what udev's rules say.</summary>
    public static void SetPermissions(string path, Permissions permissions)
    {
        using var device = BlockDevice.OpenToRead(path);
        LocalDirectory.SetPermissions(device.File, permissions, path);
    }

    /// <param name="name">The volume's name.</param>
    /// <param name="path">Where it is found; also its key.</param>
    /// <returns>One with a <see cref="VolumeDefinition.Problem"/> where the device is not there or cannot be looked at.</returns>
    public static VolumeDefinition Read(string name, string path)
    {
        var volume = new VolumeDefinition { Name = name, Key = path, Path = path, Type = VolumeKind.Block };
        try
        {
            using var device = BlockDevice.OpenToRead(path);
            return volume with
            {
                Capacity = device.Size,
                Allocation = device.Size,
                Physical = device.Size,
                Encryption = EncryptionOf(device),
                Permissions = new Permissions(device.Status.Permissions, device.Status.Owner, device.Status.Group),
            };
        }
        catch (StorageException e)
        {
            return volume with { Problem = e.Error.Message };
        }
    }

    /// <summary>Null where there is none, or it cannot be read.</summary>
    internal static VolumeEncryption? EncryptionOf(BlockDevice device) =>
        LocalVolumeReader.ReadHeader(device.File, device.Size) is { Format: "raw", Encryption: { } encryption } ? new VolumeEncryption(encryption) : null;
}
