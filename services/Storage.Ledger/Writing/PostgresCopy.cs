using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata;
using Npgsql;

namespace Storage.Ledger;

/// <summary>
/// Many new rows of one table by binary COPY instead of as many INSERT statements: no statement is parsed, planned or answered for a
/// row. Only of tables whose rows are never inserted in place of one that the same write removes, as COPY comes first.
/// </summary>
internal static class PostgresCopy
{
    /// <summary>Fewer rows are as fast in the one round trip of all other changes.</summary>
    private const int Enough = 16;

    private static readonly HashSet<Type> Tables = [typeof(EventRow), typeof(VolumeRow), typeof(OperationRow), typeof(ClaimRow)];
    private static readonly ConcurrentDictionary<IEntityType, Plan> Plans = [];

    /// <summary>Inserts them; for the context they are unchanged from then on. Within the context's transaction.</summary>
    /// <returns>How many rows.</returns>
    public static async Task<int> InsertAsync(DbContext db, CancellationToken cancellationToken)
    {
        var count = 0;
        var added = db.ChangeTracker.Entries().Where(entry => entry.State is EntityState.Added && Tables.Contains(entry.Metadata.ClrType));
        foreach (var table in added.GroupBy(entry => entry.Metadata).Where(table => table.Count() >= Enough).ToList())
        {
            var rows = table.ToList();
            await Plans.GetOrAdd(table.Key, Plan.Of).WriteAsync((NpgsqlConnection)db.Database.GetDbConnection(), rows, cancellationToken);
            foreach (var row in rows)
                row.State = EntityState.Unchanged;
            count += rows.Count;
        }
        return count;
    }

    private sealed record Column(IProperty Property, Func<object?, object?>? Convert, string StoreType);

    private sealed record Plan(string Command, IReadOnlyList<Column> Columns)
    {
        public static Plan Of(IEntityType type)
        {
            var table = StoreObjectIdentifier.Table(type.GetTableName()!, type.GetSchema());
            var properties = type.GetProperties().ToList();
            var names = string.Join(", ", properties.Select(property => $"\"{property.GetColumnName(table)}\""));
            return new(
                $"COPY \"{table.Name}\" ({names}) FROM STDIN (FORMAT BINARY)",
                [.. properties.Select(property => new Column(
                    property, property.GetRelationalTypeMapping().Converter?.ConvertToProvider, property.GetColumnType()))]);
        }

        public async Task WriteAsync(NpgsqlConnection connection, IReadOnlyList<EntityEntry> rows, CancellationToken cancellationToken)
        {
            await using var import = await connection.BeginBinaryImportAsync(Command, cancellationToken);
            foreach (var row in rows)
            {
                await import.StartRowAsync(cancellationToken);
                foreach (var column in Columns)
                {
                    var value = row.CurrentValues[column.Property];
                    if ((column.Convert is null ? value : column.Convert(value)) is { } stored)
                        await import.WriteAsync(stored, column.StoreType, cancellationToken);
                    else
                        await import.WriteNullAsync(cancellationToken);
                }
            }
            await import.CompleteAsync(cancellationToken);
        }
    }
}
