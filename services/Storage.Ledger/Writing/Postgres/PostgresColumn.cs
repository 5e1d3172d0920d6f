using System.Data.Common;
using System.Linq.Expressions;
using System.Reflection;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Npgsql;

namespace Storage.Ledger;

/// <summary>A column of a table as the model maps it.</summary>
internal sealed class PostgresColumn
{
    private static readonly MethodInfo ArrayMethod = typeof(PostgresColumn).GetMethod(nameof(ArrayOf), BindingFlags.NonPublic | BindingFlags.Static)!;

    /// <summary>As it is stored; one that may be null as a nullable type.</summary>
    private readonly Type stored;

    private readonly Func<object, object?> value;

    private PostgresColumn(IProperty property, in StoreObjectIdentifier table)
    {
        Property = property;
        (Name, StoreType) = ($"\"{property.GetColumnName(table)}\"", property.GetColumnType());
        var plain = property.GetRelationalTypeMapping().Converter?.ProviderClrType ?? Nullable.GetUnderlyingType(property.ClrType) ?? property.ClrType;
        stored = property.IsNullable && plain.IsValueType ? typeof(Nullable<>).MakeGenericType(plain) : plain;
        var row = Expression.Parameter(typeof(object));
        var written = Written(row);
        value = Expression.Lambda<Func<object, object?>>(Expression.Convert(written, typeof(object)), row).Compile();
        Values = (Func<IReadOnlyList<object>, Array>)ArrayMethod.MakeGenericMethod(stored)
            .Invoke(null, [Expression.Lambda(typeof(Func<,>).MakeGenericType(typeof(object), stored), written, row)])!;
    }

    public IProperty Property { get; }

    public string Name { get; }

    public string StoreType { get; }

    /// <summary>What some rows have in it, as an array of its type.</summary>
    public Func<IReadOnlyList<object>, Array> Values { get; }

    public static PostgresColumn Of(IProperty property, in StoreObjectIdentifier table) => new(property, table);

    public NpgsqlParameter Parameter(object row) => value(row) is { } written
        ? new NpgsqlParameter { Value = written }
        : new NpgsqlParameter { Value = DBNull.Value, DataTypeName = StoreType };

    /// <summary>Takes it from a row that is read.</summary>
    public Expression ReadFrom(Expression reader, int ordinal)
    {
        var (converter, at) = (Property.GetRelationalTypeMapping().Converter, Expression.Constant(ordinal));
        Expression read = Expression.Call(reader, nameof(DbDataReader.GetFieldValue), [Nullable.GetUnderlyingType(stored) ?? stored], at);
        if (converter is not null)
            read = Expression.Invoke(converter.ConvertFromProviderExpression, read);
        read = Expression.Convert(read, Property.ClrType);
        return Property.IsNullable
            ? Expression.Condition(Expression.Call(reader, nameof(DbDataReader.IsDBNull), null, at), Expression.Default(Property.ClrType), read)
            : read;
    }

    /// <summary>What is stored for a row.</summary>
    private Expression Written(Expression row)
    {
        Expression own = Expression.Property(Expression.Convert(row, Property.DeclaringType.ClrType), Property.PropertyInfo!);
        if (Property.GetRelationalTypeMapping().Converter is not { } converter)
            return Expression.Convert(own, stored);
        var plain = converter.ConvertToProviderExpression.Parameters[0].Type;
        var converted = Expression.Convert(Expression.Invoke(converter.ConvertToProviderExpression, Expression.Convert(own, plain)), stored);
        return Property.IsNullable
            ? Expression.Condition(Expression.Equal(own, Expression.Constant(null, Property.ClrType)), Expression.Default(stored), converted)
            : converted;
    }

    private static Func<IReadOnlyList<object>, Array> ArrayOf<T>(LambdaExpression get)
    {
        var one = (Func<object, T>)get.Compile();
        return rows =>
        {
            var values = new T[rows.Count];
            for (var i = 0; i < values.Length; i++)
                values[i] = one(rows[i]);
            return values;
        };
    }
}
