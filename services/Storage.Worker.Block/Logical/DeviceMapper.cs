namespace Storage.Worker.Block;

/// <summary>The kernel's device mapper, without which LVM has metadata and no volumes.</summary>
internal static class DeviceMapper
{
    private const string Control = "/dev/mapper/control";

    /// <summary>Why it cannot be used; null where it can. Opening its control device has the kernel load it, where it is a module.</summary>
    public static string? Reason()
    {
        try
        {
            File.OpenHandle(Control, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite).Dispose();
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"The device mapper of this kernel cannot be used: {e.Message}";
        }
    }
}
