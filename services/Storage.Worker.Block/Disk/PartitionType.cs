namespace Storage.Worker.Block;

/// <summary>The formats of a partition, as libvirt names them, in parted's words: a file system that chooses the type in the table, and a flag.</summary>
public static class PartitionType
{
    /// <summary>Null leaves the type to parted.</summary>
    public static string? FileSystemOf(string format) => format switch
    {
        "linux" => "ext2",
        "fat16" or "fat32" or "linux-swap" => format,
        _ => null,
    };

    /// <summary>libvirt sets none, and so makes plain partitions of these two.</summary>
    public static string? FlagOf(string format) => format switch
    {
        "linux-lvm" => "lvm",
        "linux-raid" => "raid",
        _ => null,
    };

    /// <summary>The format of a partition that is there.</summary>
    public static string Of(Partition partition) => partition switch
    {
        { Kind: PartitionKind.Extended } => "extended",
        { Flags: var flags } when flags.Contains("lvm") => "linux-lvm",
        { Flags: var flags } when flags.Contains("raid") => "linux-raid",
        { FileSystem: "fat16" or "fat32" } => partition.FileSystem,
        { FileSystem: { } swap } when swap.StartsWith("linux-swap", StringComparison.Ordinal) => "linux-swap",
        { FileSystem: not null } => "linux",
        _ => "none",
    };
}
