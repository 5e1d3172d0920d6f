using Microsoft.EntityFrameworkCore;
using Storage.Contracts;
using Storage.Ledger;

namespace Storage.Api;

/// <summary>Finds the pool that a request names.</summary>
public static class PoolLookup
{
    /// <param name="pool">Its uuid, or its name.</param>
    /// <param name="host">The host, where the name is on several.</param>
    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.PoolNotFound"/>, or <see cref="ErrorCodes.HostAmbiguous"/> for a name on several hosts.
    /// </exception>
    public static async Task<PoolRow> FindPoolAsync(this LedgerDb db, string pool, string? host, CancellationToken cancellationToken) =>
        await db.TryFindPoolAsync(pool, host, cancellationToken)
            ?? throw new StorageException(new StorageError(
                ErrorCodes.PoolNotFound, $"There is no pool '{pool}'{(host is null ? "" : $" on {host}")}.", Resource: $"pools/{pool}"));

    public static async Task<PoolRow?> TryFindPoolAsync(
        this LedgerDb db, string pool, string? host, CancellationToken cancellationToken)
    {
        var candidates = db.Pools.AsNoTracking();
        if (host is not null)
            candidates = candidates.Where(row => row.Host == host);
        if (Guid.TryParseExact(pool, "D", out var id)
            && await candidates.FirstOrDefaultAsync(row => row.Id == id, cancellationToken) is { } byId)
            return byId;
        var named = await candidates.Where(row => row.Name == pool).OrderBy(row => row.Host).Take(10).ToListAsync(cancellationToken);
        return named.Count < 2 ? named.SingleOrDefault() : throw new StorageException(new StorageError(
            ErrorCodes.HostAmbiguous,
            $"Pool '{pool}' is on several hosts: {string.Join(", ", named.Select(row => row.Host))}. Say which (host), or use the uuid.",
            "host", Resource: $"pools/{pool}"));
    }
}
