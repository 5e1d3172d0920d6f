using Storage.Contracts;

namespace Storage.Worker;

/// <summary>A change of capacity, worked out: the same however often it is done.</summary>
/// <param name="From">The capacity before, in bytes.</param>
/// <param name="To">The capacity after, in bytes.</param>
/// <param name="Allocate">The grown part gets blocks.</param>
/// <param name="Secret">The passphrase, where the volume is encrypted; null is the secret whose usage is its path.</param>
/// <param name="Force">A device is cut off also within content of which nobody knows how long it is.</param>
public sealed record VolumeResize(long From, long To, bool Allocate, SecretReference? Secret = null, bool Force = false)
{
    /// <summary>
    /// What a command means for the volume as it is. A volume may become smaller than its allocation where that was said: libvirt refuses
    /// it, although a full volume has no other way to shrink.
    /// </summary>
    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.InvalidArgument"/>: smaller and not said so, or nothing asked; <see cref="ErrorCodes.Overflow"/>;
    /// <see cref="ErrorCodes.InvalidState"/>: the volume's capacity is not known.
    /// </exception>
    public static VolumeResize Of(ResizeVolume command, VolumeDefinition volume)
    {
        // The capacity of a device is the kernel's to say, whatever is wrong with it: a thin pool that is full can grow.
        if (volume is { Problem: not null, Type: not VolumeKind.Block } || volume.Capacity is not { } from)
            throw new StorageException(ErrorCodes.InvalidState, $"The capacity of '{volume.Name}' is not known. {volume.Problem}".TrimEnd());
        if (command.Capacity is not (>= 0 and { } given))
            throw new StorageException(ErrorCodes.InvalidArgument, "A capacity is required that is not negative.", "capacity");
        if (given == 0 && command is { Delta: false, Shrink: false })
            throw new StorageException(ErrorCodes.InvalidArgument, "A capacity of 0 must be said to shrink.", "capacity");
        var to = command switch
        {
            { Delta: true, Shrink: true } => Math.Max(0, from - given),
            { Delta: true } when given > long.MaxValue - from => throw new StorageException(
                ErrorCodes.Overflow, "The capacity would be larger than any can be.", "capacity"),
            { Delta: true } => from + given,
            _ => given,
        };
        return to < from && !command.Shrink
            ? throw new StorageException(
                ErrorCodes.InvalidArgument, $"'{volume.Name}' has {from} bytes: it is made smaller only where shrink is said.", "shrink")
            : new VolumeResize(from, to, command.Allocate, command.Secret, command.Force);
    }
}
