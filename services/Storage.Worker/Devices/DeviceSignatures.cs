using System.Text.Json;

namespace Storage.Worker;

/// <summary>
/// What is on a device: file systems, partition tables, RAID and LVM labels, by libblkid (<c>wipefs --no-act</c>, wipefs(8)), and whether
/// a device without any of these is blank.
/// </summary>
public sealed class DeviceSignatures(IToolRunner tools)
{
    public const string Tool = "wipefs";
    private const int Head = 1 << 20;

    /// <summary>The types found, such as <c>ext4</c>, <c>gpt</c>, <c>LVM2_member</c>; empty where there are none.</summary>
    public async Task<IReadOnlyList<string>> ReadAsync(string device, CancellationToken cancellationToken) =>
        Parse((await tools.RunAsync(new HostCommand(Tool, "--no-act", "--json", device), cancellationToken)).Stdout);

    /// <summary>Removes them all. What they described is gone.</summary>
    public Task EraseAsync(string device, CancellationToken cancellationToken) =>
        tools.RunAsync(new HostCommand(Tool, "--all", device), cancellationToken);

    /// <summary>
    /// Whether the first MiB is zeros. Data that nothing describes (a database on a raw device, encryption without a header) is still
    /// somebody's data.
    /// </summary>
    public static unsafe bool IsBlank(string device, string field)
    {
        using var handle = LibC.Open(device, OpenFlags.ReadOnly | OpenFlags.CloseOnExec, 0);
        if (handle.IsInvalid)
            throw HostErrors.FromLast($"open {device}", field);
        var head = new byte[Head];
        fixed (byte* buffer = head)
        {
            var read = LibC.Read(handle, buffer, Head, 0);
            return read < 0 ? throw HostErrors.FromLast($"read {device}", field) : head.AsSpan(0, (int)read).IndexOfAnyExcept((byte)0) < 0;
        }
    }

    public static IReadOnlyList<string> Parse(string json)
    {
        if (string.IsNullOrWhiteSpace(json))
            return [];
        using var document = JsonDocument.Parse(json);
        return document.RootElement.TryGetProperty("signatures", out var signatures)
            ? [.. signatures.EnumerateArray().Select(signature => signature.GetProperty("type").GetString()!)]
            : [];
    }
}
