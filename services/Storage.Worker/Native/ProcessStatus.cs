using System.Globalization;

namespace Storage.Worker;

/// <summary>A line of <c>/proc/PID/stat</c>, of a process or a thread.</summary>
/// <param name="State">R running, S sleeping, D sleeping in the kernel and deaf to signals, Z ended and not yet waited for.</param>
/// <param name="Session">The process that began its session.</param>
/// <param name="Ticks">Processor time so far, in the kernel's ticks.</param>
internal readonly record struct ProcessStatus(char State, int Session, long Ticks)
{
    public bool Ended => State is 'Z' or 'X';

    public static ProcessStatus Parse(string line)
    {
        // The name is in brackets and can have spaces and brackets in it.
        var fields = line[(line.LastIndexOf(')') + 2)..].Split(' ');
        return new(fields[0][0], int.Parse(fields[3], CultureInfo.InvariantCulture), Number(fields[11]) + Number(fields[12]));
    }

    private static long Number(string field) => long.Parse(field, CultureInfo.InvariantCulture);
}
