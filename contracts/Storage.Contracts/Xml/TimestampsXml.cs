using System.Globalization;

namespace Storage.Contracts;

/// <summary><c>&lt;timestamps&gt;</c> of a volume, as <c>seconds[.nanoseconds]</c>. Only written: on input they are passed over.</summary>
internal static class TimestampsXml
{
    private const int NanosecondsPerTick = 100;

    /// <summary>An unknown birth is written as 0, as libvirt does on Linux.</summary>
    public static void Write(XmlOutput output, Timestamps? timestamps)
    {
        if (timestamps is null)
            return;
        output.Open("timestamps");
        output.Text("atime", Seconds(timestamps.Access));
        output.Text("mtime", Seconds(timestamps.Modified));
        output.Text("ctime", Seconds(timestamps.Changed));
        output.Text("btime", Seconds(timestamps.Birth ?? DateTimeOffset.UnixEpoch));
        output.Close();
    }

    private static string? Seconds(DateTimeOffset? time)
    {
        if (time is not { } at)
            return null;
        var (seconds, rest) = Math.DivRem((at - DateTimeOffset.UnixEpoch).Ticks, TimeSpan.TicksPerSecond);
        if (rest < 0)
            (seconds, rest) = (seconds - 1, rest + TimeSpan.TicksPerSecond);
        return rest == 0
            ? seconds.ToString(CultureInfo.InvariantCulture)
            : string.Create(CultureInfo.InvariantCulture, $"{seconds}.{rest * NanosecondsPerTick:D9}");
    }
}
