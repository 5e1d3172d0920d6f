using Storage.Contracts.Images;

namespace Storage.Worker;

/// <summary>
/// The headers and labels of files as this process has read them: a file whose identity and times are the same need not be read again, which saves a
/// refresh of a large pool as many reads from its disk. About 200 bytes for each file, and forgotten when there are too many.
/// </summary>
public sealed class KnownHeaders(TimeProvider time, int most = KnownHeaders.Most)
{
    public const int Most = 200_000;

    /// <summary>The clock of file times stands still for moments: within them a file can change unseen.</summary>
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(2);

    private readonly Lock gate = new();
    private readonly Dictionary<Identity, Known> headers = [];

    public int Count
    {
        get
        {
            lock (gate)
                return headers.Count;
        }
    }

    /// <returns>Null where the file has changed, or was never read.</returns>
    internal (ImageHeader Header, string? Label)? Find(in FileStatus status)
    {
        lock (gate)
            return headers.TryGetValue(new Identity(status), out var known) && known.State == new State(status) ? (known.Header, known.Label) : null;
    }

    /// <param name="status">As it was before the header was read, so that a change in between is noticed.</param>
    /// <param name="header">What was read.</param>
    /// <param name="label">As <see cref="LocalDirectory.ReadLabel"/>.</param>
    internal void Keep(in FileStatus status, ImageHeader header, string? label)
    {
        if (status.Changed.Time is not { } changed || status.Modified.Time is not { } modified
            || time.GetUtcNow() - (changed > modified ? changed : modified) < Settled)
            return;
        lock (gate)
        {
            if (headers.Count >= most)
                headers.Clear();
            headers[new Identity(status)] = new Known(new State(status), header, label);
        }
    }

    private readonly record struct Identity(uint Major, uint Minor, ulong Inode)
    {
        public Identity(in FileStatus status)
            : this(status.DeviceMajor, status.DeviceMinor, status.Inode)
        {
        }
    }

    private readonly record struct State(ulong Size, long Modified, uint ModifiedPart, long Changed, uint ChangedPart)
    {
        public State(in FileStatus status)
            : this(status.Size, status.Modified.Seconds, status.Modified.Nanoseconds, status.Changed.Seconds, status.Changed.Nanoseconds)
        {
        }
    }

    private readonly record struct Known(State State, ImageHeader Header, string? Label);
}
