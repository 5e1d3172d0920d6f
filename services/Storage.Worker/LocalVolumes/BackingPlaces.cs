using Microsoft.Win32.SafeHandles;

namespace Storage.Worker;

/// <summary>
/// Where a backing store may lie: files in or below the directories of the host's pools, files and block devices in or below the places of the
/// worker's setting. Judged is what is really there, once all links are followed: a path may lead anywhere.
/// </summary>
/// <param name="Pools">Directories of pools, without symbolic links.</param>
/// <param name="Allowed">Paths of the setting <c>Worker:BackingStores</c>, without symbolic links. Those below <c>/dev</c> are for devices too.</param>
public sealed record BackingPlaces(IReadOnlyList<string> Pools, IReadOnlyList<string> Allowed)
{
    private const string Devices = "/dev";

    public static BackingPlaces None { get; } = new([], []);

    /// <summary>These, and directories that are open here.</summary>
    internal BackingPlaces With(params IEnumerable<LocalDirectory> directories) =>
        this with { Pools = [.. Pools, .. directories.Select(directory => LocalDirectory.RealPath(directory.Handle))] };

    /// <summary>Whether a backing store may be what a handle is open at.</summary>
    /// <param name="path">As it was named, absolute: devices have names that are links, made by udev.</param>
    internal bool Allow(SafeFileHandle place, FileKind kind, string path)
    {
        var real = LocalDirectory.RealPath(place);
        return kind switch
        {
            FileKind.Regular => Pools.Any(directory => LocalDirectory.IsBelow(real, directory)) || Allowed.Any(place => IsAtOrBelow(real, place)),
            FileKind.BlockDevice => Allowed.Any(place => IsAtOrBelow(place, Devices) && (IsAtOrBelow(real, place) || IsAtOrBelow(Path.GetFullPath(path), place))),
            _ => false,
        };
    }

    private static bool IsAtOrBelow(string path, string place) => path == place.TrimEnd('/') || LocalDirectory.IsBelow(path, place);
}
