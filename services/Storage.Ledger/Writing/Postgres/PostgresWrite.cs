using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Npgsql;

namespace Storage.Ledger;

/// <summary>
/// What a context has changed, written in one round trip: what is removed, then what has changed, then what is new. Many rows of a table are
/// one statement: none is planned, sent and answered for a row.
/// </summary>
internal static class PostgresWrite
{
    /// <summary>Fewer rows that have changed are as fast one by one.</summary>
    private const int Many = 8;

    /// <summary>Writes the changes, and whatever is to follow them in the same round trip.</summary>
    /// <returns>How many rows have changed.</returns>
    /// <exception cref="DbUpdateConcurrencyException">A row that was changed or removed is not there.</exception>
    public static async Task<int> WriteAsync(DbContext db, IEnumerable<NpgsqlBatchCommand> then, CancellationToken cancellationToken)
    {
        var changed = db.ChangeTracker.Entries()
            .Where(row => row.State is EntityState.Added or EntityState.Modified or EntityState.Deleted)
            .GroupBy(row => (row.Metadata, row.State)).ToDictionary(group => group.Key, group => group.ToList());
        await db.Database.OpenConnectionAsync(cancellationToken);
        try
        {
            await using var batch = new NpgsqlBatch((NpgsqlConnection)db.Database.GetDbConnection());
            foreach (var ((type, state), rows) in changed.OrderBy(group => Order(group.Key.State)))
                foreach (var command in Commands(PostgresTable.Of(type), state, rows))
                    batch.BatchCommands.Add(command);
            var own = batch.BatchCommands.Count;
            foreach (var command in then)
                batch.BatchCommands.Add(command);
            if (batch.BatchCommands.Count == 0)
                return 0;
            await batch.ExecuteNonQueryAsync(cancellationToken);
            var written = Enumerable.Range(0, own).Sum(i => (int)batch.BatchCommands[i].Rows);
            if (written != changed.Sum(group => group.Value.Count))
                throw new DbUpdateConcurrencyException($"{changed.Sum(group => group.Value.Count)} rows were to be written, {written} were.");
            db.ChangeTracker.AcceptAllChanges();
            return written;
        }
        finally
        {
            await db.Database.CloseConnectionAsync();
        }
    }

    private static int Order(EntityState state) => state switch
    {
        EntityState.Deleted => 0,
        EntityState.Modified => 1,
        _ => 2,
    };

    private static IEnumerable<NpgsqlBatchCommand> Commands(PostgresTable table, EntityState state, List<EntityEntry> rows) => state switch
    {
        EntityState.Added => [table.Insert([.. rows.Select(row => row.Entity)])],
        EntityState.Modified => rows.Count < Many ? rows.Select(table.Update) : [table.Update(rows)],
        _ => rows.Select(table.Delete),
    };
}
