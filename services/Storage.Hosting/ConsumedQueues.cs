using System.Collections.Concurrent;

namespace Storage.Hosting;

/// <summary>The queues that this process takes messages from.</summary>
public sealed class ConsumedQueues
{
    private readonly ConcurrentDictionary<string, bool> queues = new(StringComparer.Ordinal);

    public IEnumerable<string> All => queues.Keys;

    public void Add(string queue) => queues[queue] = true;
}
