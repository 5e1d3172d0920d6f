using Storage.Contracts;

namespace Storage.Worker;

/// <summary>Whether what is found after a run was cut off can be what it was making.</summary>
public static class VolumeIdentity
{
    /// <summary>
    /// The same format, and the capacity: to the byte where the file is the volume, and at least it where a format rounds up. Any file
    /// can pass for a raw one, so there is no leeway for those.
    /// </summary>
    public static bool CouldBeMadeFrom(VolumeDefinition wanted, VolumeDefinition found) => wanted.Format switch
    {
        // The format counts in KiB, and no file can pass for an encrypted one.
        "raw" when wanted.Encryption is not null => found is { Format: "raw", Encryption: not null } && found.Capacity >= wanted.Capacity,
        "dir" => found.Format == "dir",
        null => found.Format is null && found.Capacity >= (wanted.Capacity ?? 0),
        "raw" or "iso" => found.Format is "raw" or "iso" && found.Capacity == wanted.Capacity,
        _ => found.Format == wanted.Format && found.Capacity >= (wanted.Capacity ?? 0),
    };
}
