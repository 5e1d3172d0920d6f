using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace Storage.Ledger;

/// <summary>One process has the file to itself, and its transactions are begun as writing ones: there is nothing more to lock.</summary>
internal sealed class SqliteDialect(IDbContextFactory<LedgerDb> databases) : LedgerDialect
{
    public override Task LockAsync(LedgerDb db, LedgerLock kind, CancellationToken cancellationToken) => Task.CompletedTask;

    public override async Task<Opening> BeginWritingAsync(LedgerDb db, Wanted wanted, CancellationToken cancellationToken)
    {
        var opening = new Opening
        {
            LastOperation = await db.Operations.MaxAsync(row => (long?)row.Sequence, cancellationToken) ?? 0,
            LastEvent = await db.Events.MaxAsync(row => (long?)row.Sequence, cancellationToken) ?? 0,
            WorkersVersion = await db.Cursors.Where(row => row.Reader == Workers).Select(row => row.Sequence).FirstOrDefaultAsync(cancellationToken),
            AnyQueued = await db.Operations.AnyAsync(row => row.State == Contracts.OperationState.Queued, cancellationToken),
        };
        if (wanted.Operations is { Count: > 0 } operations)
            foreach (var row in await db.Operations.Where(row => operations.Contains(row.Id)).ToListAsync(cancellationToken))
                opening.Operations[row.Id] = row;
        if (wanted.Events is { Count: > 0 } events)
            opening.LoggedEvents.UnionWith(await db.Events.Where(row => events.Contains(row.EventId)).Select(row => row.EventId).ToListAsync(cancellationToken));
        if (wanted.Pools is { Count: > 0 } pools)
            opening.Pools.AddRange(await db.Pools.Where(row => pools.Contains(row.Id)).ToListAsync(cancellationToken));
        foreach (var (host, name) in wanted.PoolNames)
        {
            var named = await db.Pools.Where(row => row.Name == name && (host == null || row.Host == host)).OrderBy(row => row.Host).Take(2).ToListAsync(cancellationToken);
            opening.Pools.AddRange(named.Except(opening.Pools));
            opening.PoolNames[(host, name)] = [.. named.Select(row => row.Id)];
        }
        foreach (var (pool, names) in wanted.Volumes)
            opening.Volumes.AddRange(await db.VolumesNamed(pool, names).ToListAsync(cancellationToken));
        if (wanted.Lines is not { Count: > 0 } lines)
            return opening;
        foreach (var line in lines)
            opening.Lines[line] = (false, false);
        foreach (var claim in await db.Claims.Where(row => lines.Contains(row.Resource)).Select(row => new { row.Resource, row.Exclusive }).Distinct().ToListAsync(cancellationToken))
            opening.Lines[claim.Resource] = (true, opening.Lines[claim.Resource].Exclusive || claim.Exclusive);
        return opening;
    }

    public override async Task<IReadOnlyList<Guid>> ReleaseAsync(LedgerDb db, IReadOnlyList<Guid> operations, int ofEachLine, CancellationToken cancellationToken)
    {
        await db.SaveChangesAsync(cancellationToken);
        var claims = db.Claims.Where(claim => operations.Contains(claim.OperationId));
        var released = await claims.Select(claim => new { claim.Resource, claim.Exclusive, claim.Sequence }).ToListAsync(cancellationToken);
        await claims.ExecuteDeleteAsync(cancellationToken);
        var left = released.Select(claim => claim.Resource).ToHashSet(StringComparer.Ordinal);
        left.IntersectWith(await db.Claims.Where(claim => left.Contains(claim.Resource)).Select(claim => claim.Resource).Distinct().ToListAsync(cancellationToken));
        var next = new HashSet<Guid>();
        foreach (var line in released.Where(claim => left.Contains(claim.Resource)).GroupBy(claim => claim.Resource))
        {
            var waiting = db.Claims.Where(claim => claim.Resource == line.Key);
            var alone = await waiting.Where(claim => claim.Exclusive).MinAsync(claim => (long?)claim.Sequence, cancellationToken) ?? long.MaxValue;
            var from = line.Where(claim => claim.Exclusive).Min(claim => (long?)claim.Sequence) ?? alone;
            next.UnionWith(await waiting.Where(claim => claim.Sequence >= from && claim.Sequence <= alone)
                .OrderBy(claim => claim.Sequence).Select(claim => claim.OperationId).Take(ofEachLine).ToListAsync(cancellationToken));
        }
        return [.. next];
    }

    public override async Task CommitAsync(
        LedgerDb db, IDbContextTransaction transaction, IReadOnlyList<EventRow> events, IReadOnlyList<Guid> released, LogGrowth? grown,
        CancellationToken cancellationToken)
    {
        db.Events.AddRange(events);
        await db.SaveChangesAsync(cancellationToken);
        if (released.Count > 0)
            await db.Claims.Where(claim => released.Contains(claim.OperationId)).ExecuteDeleteAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    public override Task ListenAsync(LedgerSignal signal, CancellationToken cancellationToken) =>
        Task.Delay(Timeout.Infinite, cancellationToken);

    public override Task<ILogCursor> FollowAsync(string reader, LedgerLock kind, CancellationToken cancellationToken) =>
        Task.FromResult<ILogCursor>(new Cursor(databases, reader));

    public override async Task MigrateAsync(LedgerDb db, CancellationToken cancellationToken)
    {
        await db.Database.ExecuteSqlRawAsync("PRAGMA journal_mode = WAL", cancellationToken);
        // EF's migration lock is a row that outlives a killed process and would block every start after it.
        await db.Database.ExecuteSqlRawAsync("DROP TABLE IF EXISTS \"__EFMigrationsLock\"", cancellationToken);
        await db.Database.MigrateAsync(cancellationToken);
    }

    private sealed class Cursor(IDbContextFactory<LedgerDb> databases, string reader) : ILogCursor
    {
        private long? done;

        public async Task<IReadOnlyList<EventRow>> NextAsync(int limit, CancellationToken cancellationToken)
        {
            await using var db = await databases.CreateDbContextAsync(cancellationToken);
            var cursor = await db.Cursors.SingleOrDefaultAsync(row => row.Reader == reader, cancellationToken);
            if (cursor is null)
                db.Cursors.Add(cursor = new CursorRow { Reader = reader });
            var after = cursor.Sequence = done ?? cursor.Sequence;
            await db.SaveChangesAsync(cancellationToken);
            var page = await db.Events.AsNoTracking().Where(row => row.Sequence > after).OrderBy(row => row.Sequence).Take(limit).ToListAsync(cancellationToken);
            done = page.Count > 0 ? page[^1].Sequence : after;
            return page;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
