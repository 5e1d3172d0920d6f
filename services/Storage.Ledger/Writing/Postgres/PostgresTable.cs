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

    private readonly Dictionary<IProperty, Column> byProperty;
    private readonly IReadOnlyList<Column> keys;
    private readonly string insert;
    private readonly Func<DbDataReader, object> read;

    private PostgresTable(IEntityType type)
    {
        var table = StoreObjectIdentifier.Table(type.GetTableName()!, type.GetSchema());
        Name = $"\"{table.Name}\"";
        Columns = [.. type.GetProperties().Select(property => Column.Of(property, table))];
        byProperty = Columns.ToDictionary(column => column.Property);
        keys = [.. type.FindPrimaryKey()!.Properties.Select(property => byProperty[property])];
        ColumnList = string.Join(", ", Columns.Select(column => column.Name));
        insert = $"INSERT INTO {Name} ({ColumnList}) SELECT * FROM unnest({string.Join(", ", Columns.Select((column, i) => $"${i + 1}::{column.StoreType}[]"))})";
        read = Reader(type.ClrType, Columns);
    }

    public string Name { get; }

    /// <summary>The columns in the order in which <see cref="Read"/> takes them.</summary>
    public string ColumnList { get; }

    public IReadOnlyList<Column> Columns { get; }

    public static PostgresTable Of(IEntityType type) => Known.GetOrAdd(type, known => new PostgresTable(known));

    public static PostgresTable Of<T>(DbContext db) => Of(db.Model.FindEntityType(typeof(T))!);

    /// <summary>The row at which the reader is.</summary>
    public object Read(DbDataReader reader) => read(reader);

    /// <summary>All rows by one statement, each column as an array.</summary>
    public NpgsqlBatchCommand Insert(IReadOnlyList<EntityEntry> rows) => WithRows(insert, rows);

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
            rows);
    }

    private NpgsqlBatchCommand WithRows(string text, IReadOnlyList<EntityEntry> rows)
    {
        var command = new NpgsqlBatchCommand(text);
        foreach (var column in Columns)
        {
            var values = Array.CreateInstance(column.ElementType, rows.Count);
            for (var i = 0; i < rows.Count; i++)
                values.SetValue(column.Stored(rows[i]), i);
            command.Parameters.Add(new NpgsqlParameter { Value = values });
        }
        return command;
    }

    /// <summary>What has changed in a row, found by its key.</summary>
    public NpgsqlBatchCommand Update(EntityEntry row)
    {
        var changed = Columns.Where(column => row.Property(column.Property).IsModified).ToList();
        var command = new NpgsqlBatchCommand(
            $"UPDATE {Name} SET {string.Join(", ", changed.Select((column, i) => $"{column.Name} = ${i + 1}"))} WHERE {WhereKey(changed.Count)}");
        foreach (var column in changed.Concat(keys))
            command.Parameters.Add(column.Parameter(row));
        return command;
    }

    public NpgsqlBatchCommand Delete(EntityEntry row)
    {
        var command = new NpgsqlBatchCommand($"DELETE FROM {Name} WHERE {WhereKey(0)}");
        foreach (var column in keys)
            command.Parameters.Add(column.Parameter(row));
        return command;
    }

    private string WhereKey(int before) => string.Join(" AND ", keys.Select((key, i) => $"{key.Name} = ${before + i + 1}"));

    private static Func<DbDataReader, object> Reader(Type entity, IReadOnlyList<Column> columns)
    {
        var reader = Expression.Parameter(typeof(DbDataReader));
        var bindings = columns.Select((column, i) => Expression.Bind(column.Property.PropertyInfo!, column.ReadFrom(reader, i)));
        return Expression.Lambda<Func<DbDataReader, object>>(Expression.MemberInit(Expression.New(entity), bindings), reader).Compile();
    }

    internal sealed record Column(IProperty Property, string Name, string StoreType, Type ElementType, Func<object?, object?>? Convert)
    {
        public static Column Of(IProperty property, StoreObjectIdentifier table)
        {
            var converter = property.GetRelationalTypeMapping().Converter;
            var stored = converter?.ProviderClrType ?? Nullable.GetUnderlyingType(property.ClrType) ?? property.ClrType;
            return new Column(
                property, $"\"{property.GetColumnName(table)}\"", property.GetColumnType(),
                property.IsNullable && stored.IsValueType ? typeof(Nullable<>).MakeGenericType(stored) : stored, converter?.ConvertToProvider);
        }

        public object? Stored(EntityEntry row)
        {
            var value = row.CurrentValues[Property];
            return Convert is null ? value : Convert(value);
        }

        public NpgsqlParameter Parameter(EntityEntry row) => Stored(row) is { } value
            ? new NpgsqlParameter { Value = value }
            : new NpgsqlParameter { Value = DBNull.Value, DataTypeName = StoreType };

        public Expression ReadFrom(Expression reader, int ordinal)
        {
            var (converter, at) = (Property.GetRelationalTypeMapping().Converter, Expression.Constant(ordinal));
            var stored = Nullable.GetUnderlyingType(ElementType) ?? ElementType;
            Expression value = Expression.Call(reader, nameof(DbDataReader.GetFieldValue), [stored], at);
            if (converter is not null)
                value = Expression.Invoke(converter.ConvertFromProviderExpression, value);
            value = Expression.Convert(value, Property.ClrType);
            return Property.IsNullable
                ? Expression.Condition(Expression.Call(reader, nameof(DbDataReader.IsDBNull), null, at), Expression.Default(Property.ClrType), value)
                : value;
        }
    }
}
