using System.Globalization;

namespace Storage.Worker;

/// <summary>Whether the thread that some code runs on does anything, by the kernel's own account.</summary>
internal sealed class ThreadLife
{
    private volatile int thread;
    private string? seen;
    private long since;

    /// <summary>From now on the code is on this thread.</summary>
    /// <param name="id">As <see cref="LibC.ThreadId"/> says it there.</param>
    public void Use(int id) => thread = id;

    /// <summary>It uses none: it awaits something, or has ended.</summary>
    public void Leave() => thread = 0;

    /// <summary>For how long nothing has been seen of it, looked at again and again by one who watches; zero where it uses no thread.</summary>
    public TimeSpan Silence(TimeProvider time)
    {
        var sign = Sign();
        if (sign is null || sign != seen)
            (seen, since) = (sign, time.GetTimestamp());
        return time.GetElapsedTime(since);
    }

    /// <summary>
    /// Another one each time as long as the thread does anything; the same one while it sleeps in one call. Null while none is used. Who
    /// waits for an NFS server that is gone wakes up each second, to try again: hardly any time of the processor within one and the same
    /// call is no life.
    /// </summary>
    private string? Sign()
    {
        var id = thread;
        if (id == 0)
            return null;
        var account = string.Create(CultureInfo.InvariantCulture, $"/proc/self/task/{id}");
        try
        {
            var status = ProcessStatus.Parse(File.ReadAllText($"{account}/stat"));
            // Running, or only waiting for a processor.
            return status.State == 'R' ? null : $"{status.Ticks} {SystemCall(account)}";
        }
        catch (IOException)
        {
            // Such a kernel shows only the time that has passed.
            return "";
        }
    }

    /// <summary>Its number, arguments and place (proc(5)); nothing where the kernel does not tell.</summary>
    private static string SystemCall(string account)
    {
        try
        {
            return File.ReadAllText($"{account}/syscall");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
