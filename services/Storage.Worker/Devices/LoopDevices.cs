namespace Storage.Worker;

/// <summary>Which files are behind loop devices. Source of fact: <c>/sys/block/loopN/loop/backing_file</c>.</summary>
public static class LoopDevices
{
    /// <summary>The loop device that a file or device is behind, such as <c>/dev/loop3</c>; null where there is none.</summary>
    public static string? Of(string path) => Find(backing => backing == path);

    /// <summary>The loop device that a file is behind, by whatever name.</summary>
    internal static string? Of(FileStatus file) => Find(
        backing => LibC.Status(LibC.WorkingDirectory, backing, LibC.WithoutAsking, LibC.BasicStatusAndBirth, out var status) == 0 && status.IsSameFile(file));

    private static string? Find(Func<string, bool> isMeant)
    {
        foreach (var device in Directory.EnumerateDirectories("/sys/block", "loop*"))
        {
            try
            {
                if (isMeant(File.ReadAllText($"{device}/loop/backing_file").TrimEnd('\n')))
                    return $"/dev/{Path.GetFileName(device)}";
            }
            catch (IOException)
            {
                // It has no file behind it.
            }
        }
        return null;
    }
}
