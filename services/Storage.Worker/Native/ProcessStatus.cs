using System.Globalization;

namespace Storage.Worker;

/// <summary>A line of <c>/proc/PID/stat</c>, of a process or a thread.</summary>
/// <param name="State">R running, S sleeping, D sleeping in the kernel and deaf to signals, Z ended and not yet waited for.</param>
/// <param name="Session">The process that began its session.</param>
/// <param name="Ticks">Processor time so far, in the kernel's ticks.</param>
/// <param name="Started">When it began, in ticks after the boot: with its number it names one process for as long as the machine runs.</param>
internal readonly record struct ProcessStatus(char State, int Session, long Ticks, long Started)
{
    public bool Ended => State is 'Z' or 'X';

    public static ProcessStatus Parse(string line)
    {
        // The name is in brackets and can have spaces and brackets in it.
        var fields = line[(line.LastIndexOf(')') + 2)..].Split(' ');
        return new(fields[0][0], int.Parse(fields[3], CultureInfo.InvariantCulture), Number(fields[11]) + Number(fields[12]), Number(fields[19]));
    }

    /// <summary>Of a process; null where it is gone, or another user's.</summary>
    public static ProcessStatus? Read(int process)
    {
        try
        {
            return File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/stat")) is { Length: > 0 } line ? Parse(line) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static long Number(string field) => long.Parse(field, CultureInfo.InvariantCulture);
}
