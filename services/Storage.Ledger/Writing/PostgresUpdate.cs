using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata;
using Npgsql;

namespace Storage.Ledger;

/// <summary>
/// Many volumes that change in the same columns by one UPDATE from arrays instead of one for each: those that a command removes, or a refresh
/// finds changed.
/// </summary>
internal static class PostgresUpdate
{
    /// <summary>Fewer rows are as fast in the one round trip of all other changes.</summary>
    private const int Enough = 16;

    /// <summary>Writes them; for the context they are unchanged from then on. Within the context's transaction.</summary>
    /// <returns>How many rows.</returns>
    public static async Task<int> WriteAsync(DbContext db, CancellationToken cancellationToken)
    {
        var count = 0;
        var changed = db.ChangeTracker.Entries<VolumeRow>().Where(entry => entry.State is EntityState.Modified);
        foreach (var alike in changed.GroupBy(ColumnsOf).Where(alike => alike.Count() >= Enough).ToList())
        {
            List<EntityEntry<VolumeRow>> rows = [.. alike];
            await WriteAsync((NpgsqlConnection)db.Database.GetDbConnection(), rows, cancellationToken);
            foreach (var row in rows)
                Accept(row);
            count += rows.Count;
        }
        return count;
    }

    private static void Accept(EntityEntry row)
    {
        foreach (var property in row.Properties.Where(property => property.IsModified))
            property.OriginalValue = property.CurrentValue;
        row.State = EntityState.Unchanged;
    }

    private static string ColumnsOf(EntityEntry entry) => string.Concat(entry.Properties.Select(property => property.IsModified ? '1' : '0'));

    private static async Task WriteAsync(NpgsqlConnection connection, List<EntityEntry<VolumeRow>> rows, CancellationToken cancellationToken)
    {
        var type = rows[0].Metadata;
        var table = StoreObjectIdentifier.Table(type.GetTableName()!, type.GetSchema());
        var keys = type.FindPrimaryKey()!.Properties;
        List<IProperty> columns = [.. rows[0].Properties.Where(property => property.IsModified).Select(property => property.Metadata)];
        string Name(IProperty property) => $"\"{property.GetColumnName(table)}\"";
        List<IProperty> given = [.. keys, .. columns];
        await using var command = new NpgsqlCommand(
            $"""
            UPDATE "{table.Name}" AS known SET {string.Join(", ", columns.Select(column => $"{Name(column)} = seen.{Name(column)}"))}
            FROM unnest({string.Join(", ", given.Select((_, i) => $"${i + 1}"))}) AS seen ({string.Join(", ", given.Select(Name))})
            WHERE {string.Join(" AND ", keys.Select(key => $"known.{Name(key)} = seen.{Name(key)}"))}
            """,
            connection);
        command.Parameters.AddRange(given.Select(property => new NpgsqlParameter
        {
            Value = ValuesOf(rows, property),
            DataTypeName = property.GetColumnType() + "[]",
        }).ToArray());
        if (await command.ExecuteNonQueryAsync(cancellationToken) is var written && written != rows.Count)
            throw new DbUpdateConcurrencyException($"{written} of {rows.Count} volumes were there to be changed.");
    }

    private static Array ValuesOf(List<EntityEntry<VolumeRow>> rows, IProperty property)
    {
        var convert = property.GetRelationalTypeMapping().Converter;
        var type = convert?.ProviderClrType ?? property.ClrType;
        if (property.IsNullable && type.IsValueType && Nullable.GetUnderlyingType(type) is null)
            type = typeof(Nullable<>).MakeGenericType(type);
        var values = Array.CreateInstance(type, rows.Count);
        for (var i = 0; i < rows.Count; i++)
        {
            var value = rows[i].CurrentValues[property];
            values.SetValue(convert is null ? value : convert.ConvertToProvider(value), i);
        }
        return values;
    }
}
