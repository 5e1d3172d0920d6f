using System.Collections.Concurrent;
using System.Data.Common;
using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata;
using Npgsql;

namespace Storage.Ledger;

/// <summary>A table as the model maps it: its statements, and its rows as entities.</summary>
internal sealed class PostgresTable
{
    private static readonly ConcurrentDictionary<IEntityType, PostgresTable> Known = [];

    private readonly Dictionary<IProperty, PostgresColumn> byProperty;
    private readonly IReadOnlyList<PostgresColumn> keys;
    private readonly string insert;
    private readonly Func<DbDataReader, object> read;

    private PostgresTable(IEntityType type)
    {
        var table = StoreObjectIdentifier.Table(type.GetTableName()!, type.GetSchema());
        Name = $"\"{table.Name}\"";
        Columns = [.. type.GetProperties().Select(property => PostgresColumn.Of(property, table))];
        byProperty = Columns.ToDictionary(column => column.Property);
        keys = [.. type.FindPrimaryKey()!.Properties.Select(property => byProperty[property])];
        ColumnList = string.Join(", ", Columns.Select(column => column.Name));
        insert = $"INSERT INTO {Name} ({ColumnList}) SELECT * FROM unnest({string.Join(", ", Columns.Select((column, i) => $"${i + 1}::{column.StoreType}[]"))})";
        read = Reader(type.ClrType, Columns);
    }

    public string Name { get; }

    /// <summary>The columns in the order in which <see cref="Read"/> takes them.</summary>
    public string ColumnList { get; }

    public IReadOnlyList<PostgresColumn> Columns { get; }

    public static PostgresTable Of(IEntityType type) => Known.GetOrAdd(type, known => new PostgresTable(known));

    public static PostgresTable Of<T>(DbContext db) => Of(db.Model.FindEntityType(typeof(T))!);

    /// <summary>The row at which the reader is.</summary>
    public object Read(DbDataReader reader) => read(reader);

    /// <summary>All rows by one statement, each column as an array.</summary>
    public NpgsqlBatchCommand Insert(IReadOnlyList<object> rows) => WithRows(insert, rows);

    /// <summary>
    /// What has changed in any of the rows, by one statement: as new rows that are in the way of the old ones, which are so found by their keys. A join
    /// with arrays would be planned while the table is small, and keep that plan.
    /// </summary>
    public NpgsqlBatchCommand Update(IReadOnlyList<EntityEntry> rows)
    {
        var changed = Columns.Where(column => rows.Any(row => row.Property(column.Property).IsModified));
        return WithRows(
            $"{insert} ON CONFLICT ({string.Join(", ", keys.Select(key => key.Name))}) DO UPDATE SET "
            + string.Join(", ", changed.Select(column => $"{column.Name} = excluded.{column.Name}")),
            [.. rows.Select(row => row.Entity)]);
    }

    private NpgsqlBatchCommand WithRows(string text, IReadOnlyList<object> rows)
    {
        var command = new NpgsqlBatchCommand(text);
        foreach (var column in Columns)
            command.Parameters.Add(new NpgsqlParameter { Value = column.Values(rows) });
        return command;
    }

    /// <summary>What has changed in a row, found by its key.</summary>
    public NpgsqlBatchCommand Update(EntityEntry row)
    {
        var changed = Columns.Where(column => row.Property(column.Property).IsModified).ToList();
        var command = new NpgsqlBatchCommand(
            $"UPDATE {Name} SET {string.Join(", ", changed.Select((column, i) => $"{column.Name} = ${i + 1}"))} WHERE {WhereKey(changed.Count)}");
        foreach (var column in changed.Concat(keys))
            command.Parameters.Add(column.Parameter(row.Entity));
        return command;
    }

    public NpgsqlBatchCommand Delete(EntityEntry row)
    {
        var command = new NpgsqlBatchCommand($"DELETE FROM {Name} WHERE {WhereKey(0)}");
        foreach (var column in keys)
            command.Parameters.Add(column.Parameter(row.Entity));
        return command;
    }

    private string WhereKey(int before) => string.Join(" AND ", keys.Select((key, i) => $"{key.Name} = ${before + i + 1}"));

    private static Func<DbDataReader, object> Reader(Type entity, IReadOnlyList<PostgresColumn> columns)
    {
        var reader = Expression.Parameter(typeof(DbDataReader));
        var bindings = columns.Select((column, i) => Expression.Bind(column.Property.PropertyInfo!, column.ReadFrom(reader, i)));
        return Expression.Lambda<Func<DbDataReader, object>>(Expression.MemberInit(Expression.New(entity), bindings), reader).Compile();
    }
}
