namespace Storage.Worker;

/// <summary>Which files are behind loop devices. Source of fact: <c>/sys/block/loopN/loop/backing_file</c>.</summary>
public static class LoopDevices
{
    /// <summary>The loop device that a file or device is behind, such as <c>/dev/loop3</c>; null where there is none.</summary>
    public static string? Of(string path)
    {
        foreach (var device in Directory.EnumerateDirectories("/sys/block", "loop*"))
        {
            try
            {
                if (File.ReadAllText($"{device}/loop/backing_file").TrimEnd('\n') == path)
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
