using Microsoft.EntityFrameworkCore;
using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>Finds the pool that a request names.</summary>
public static class PoolLookup
{
    /// <summary>How many hosts are named where the name of a pool is on several.</summary>
    internal const int Shown = 10;

    /// <param name="pool">Its uuid, or its name.</param>
    /// <param name="host">The host, where the name is on several.</param>
    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.PoolNotFound"/>, or <see cref="ErrorCodes.HostAmbiguous"/> for a name on several hosts.
    /// </exception>
    public static async Task<PoolRow> FindPoolAsync(this LedgerDb db, string pool, string? host, CancellationToken cancellationToken) =>
        await db.TryFindPoolAsync(pool, host, cancellationToken) ?? throw NotFound(pool, host);

    public static async Task<PoolRow?> TryFindPoolAsync(
        this LedgerDb db, string pool, string? host, CancellationToken cancellationToken)
    {
        var candidates = db.Pools.AsNoTracking();
        if (host is not null)
            candidates = candidates.Where(row => row.Host == host);
        if (IdOf(pool) is { } id
            && await candidates.FirstOrDefaultAsync(row => row.Id == id, cancellationToken) is { } byId)
            return byId;
        var named = await candidates.Where(row => row.Name == pool).OrderBy(row => row.Host).Take(Shown).ToListAsync(cancellationToken);
        return named.Count < 2 ? named.SingleOrDefault() : throw Ambiguous(pool, named.Select(row => row.Host));
    }

    /// <summary>The uuid that a request names a pool by; null where it can only be a name.</summary>
    internal static Guid? IdOf(string pool) => Guid.TryParseExact(pool, "D", out var id) ? id : null;

    internal static StorageException NotFound(string pool, string? host) => new(new StorageError(
        ErrorCodes.PoolNotFound, $"There is no pool '{pool}'{(host is null ? "" : $" on {host}")}.", Resource: $"pools/{pool}"));

    internal static StorageException Ambiguous(string pool, IEnumerable<string> hosts) => new(new StorageError(
        ErrorCodes.HostAmbiguous,
        $"Pool '{pool}' is on several hosts: {string.Join(", ", hosts)}. Say which (host), or use the uuid.",
        "host", Resource: $"pools/{pool}"));
}
