using Storage.Contracts;

namespace Storage.Worker.File;

/// <summary>The argument lists of mount(8), as libvirt has them: never a device, a set-uid program or an execution from a pool.</summary>
public static class MountCommands
{
    private static readonly string[] Always = ["nodev", "nosuid", "noexec"];

    /// <param name="pool">Says the mount options.</param>
    /// <param name="source">What is mounted.</param>
    /// <param name="fileSystem">Its type; null leaves it to mount.</param>
    /// <param name="ofType">Options that the type of mount adds.</param>
    public static HostCommand Mount(PoolDefinition pool, string source, string? fileSystem, params IEnumerable<string> ofType)
    {
        var options = string.Join(',', [.. Always, .. ofType, .. pool.MountOptions ?? []]);
        string[] type = fileSystem is null ? [] : ["-t", fileSystem];
        return Mounter.Command(Mounter.MountTool, ["-o", options, .. type, source, LocalTarget.PathOf(pool)]);
    }
}
