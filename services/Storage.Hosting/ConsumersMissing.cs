namespace Storage.Hosting;

/// <summary>For how long queues have been seen without a consumer, without a look in between that saw one or saw nothing.</summary>
public sealed class ConsumersMissing(TimeProvider time)
{
    private readonly Dictionary<string, long> since = new(StringComparer.Ordinal);

    /// <summary>The broker has said which queues have none.</summary>
    public void Seen(IReadOnlyCollection<string> without)
    {
        foreach (var queue in since.Keys.Except(without).ToList())
            since.Remove(queue);
        foreach (var queue in without)
            since.TryAdd(queue, time.GetTimestamp());
    }

    /// <summary>The broker could not be asked: whoever consumed then had no chance either.</summary>
    public void NotSeen() => since.Clear();

    /// <summary>A queue that has had none for so long, or null.</summary>
    public string? Longer(TimeSpan limit) => since.FirstOrDefault(entry => time.GetElapsedTime(entry.Value) >= limit).Key;
}
