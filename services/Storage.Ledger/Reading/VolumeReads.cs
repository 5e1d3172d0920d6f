using Microsoft.EntityFrameworkCore;
using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>
/// Reads single volumes. Those who ask while a query is on its way are answered together by the next one, so that each sees all that was
/// committed before it asked. The query is sent by the first who asks, and answers are given by the thread that has received them: between
/// threads a read would cost more than all the rest of it.
/// </summary>
public sealed class VolumeReads(IDbContextFactory<LedgerDb> databases)
{
    private readonly Lock asking = new();
    private List<Reader> waiting = [];
    private bool reading;

    /// <summary>The pool, with the volume where it is there. Whoever asked must not block its thread on what comes after.</summary>
    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.PoolNotFound"/>, or <see cref="ErrorCodes.HostAmbiguous"/> for a name on several hosts.
    /// </exception>
    public Task<FoundVolume> FindAsync(VolumeAddress address)
    {
        var reader = new Reader(address);
        lock (asking)
        {
            waiting.Add(reader);
            if (reading)
                return reader.Task;
            reading = true;
        }
        // What others ask for later is no part of this one's trace.
        using (ExecutionContext.SuppressFlow())
            _ = AnswerAsync();
        return reader.Task;
    }

    /// <summary>Until nobody waits. The next query is on its way while the answers of one are given.</summary>
    private async Task AnswerAsync()
    {
        var asked = Take();
        var query = asked is null ? null : FindAsync(asked);
        while (query is not null)
        {
            var found = await query;
            var next = Take();
            query = next is null ? null : FindAsync(next);
            for (var i = 0; i < found.Count; i++)
                found[i].ApplyTo(asked![i]);
            asked = next;
        }
    }

    /// <returns>Null where nobody waits: the next who asks begins anew.</returns>
    private List<Reader>? Take()
    {
        lock (asking)
        {
            reading = waiting.Count > 0;
            if (!reading)
                return null;
            var taken = waiting;
            waiting = [];
            return taken;
        }
    }

    private async Task<IReadOnlyList<Outcome<FoundVolume>>> FindAsync(IReadOnlyList<Reader> asked)
    {
        try
        {
            var candidates = await VolumeQuery.ReadAsync(databases, [.. asked.Select(reader => reader.Address)]);
            return [.. asked.Select((reader, place) => Choose(reader.Address, candidates[place]))];
        }
        catch (Exception e)
        {
            // Of a database that does not answer, not one after the other waits once more.
            return [.. asked.Select(_ => new Outcome<FoundVolume>(null, e))];
        }
    }

    private static Outcome<FoundVolume> Choose(VolumeAddress address, List<VolumeCandidate> candidates)
    {
        foreach (var candidate in candidates)
        {
            if (candidate.ByUuid || candidates.Count == 1)
                return candidate.Found;
        }
        return candidates.Count == 0
            ? PoolLookup.NotFound(address.Pool, address.Host)
            : PoolLookup.Ambiguous(address.Pool, candidates.Select(candidate => candidate.Host).Order(StringComparer.Ordinal));
    }

    private sealed class Reader(VolumeAddress address) : TaskCompletionSource<FoundVolume>
    {
        public VolumeAddress Address => address;
    }
}

/// <param name="Pool">The uuid of its pool, or the pool's name.</param>
/// <param name="Host">The host, where that name is on several.</param>
/// <param name="Name">Its own name; empty where only the pool is looked for.</param>
public sealed record VolumeAddress(string Pool, string? Host, string Name);

/// <summary>A volume as its row has it.</summary>
/// <param name="ObservedAt">When it was last told of by itself.</param>
/// <param name="Document"><see cref="VolumeDefinition"/> as JSON, whole.</param>
public sealed record VolumeDocument(string Name, DateTimeOffset ObservedAt, string Document)
{
    /// <summary>When it was last seen: a refresh of its pool has seen it too, also where it had nothing to tell of it.</summary>
    /// <param name="refreshed">When its pool was last seen.</param>
    public DateTimeOffset SeenAt(DateTimeOffset? refreshed) => refreshed > ObservedAt ? refreshed.Value : ObservedAt;
}

/// <summary>What a read of a volume found.</summary>
/// <param name="PoolObservedAt">When the pool was last seen.</param>
/// <param name="Volume">Null where there is none of this name in the pool.</param>
public sealed record FoundVolume(Guid Pool, string PoolName, PoolType PoolType, DateTimeOffset? PoolObservedAt, VolumeDocument? Volume)
{
    /// <summary>When the volume was last seen; the pool, where there is no volume.</summary>
    public DateTimeOffset? SeenAt => Volume is null ? PoolObservedAt : Volume.SeenAt(PoolObservedAt);
}
