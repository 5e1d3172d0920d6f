using System.Data.Common;
using Microsoft.Data.Sqlite;
using Npgsql;
using Storage.Contracts;
using Storage.Hosting;
using Xunit;

namespace Storage.Tests;

public sealed class TransientFailuresTests
{
    public static TheoryData<Exception, bool> Failures => new()
    {
        { new StorageException(new StorageError(ErrorCodes.HostFailure, "no", Retryable: true)), true },
        { new StorageException(ErrorCodes.PoolNotFound, "no"), false },
        { new StorageException(new StorageError(ErrorCodes.PoolNotFound, "no"), new TimeoutException()), false },
        { new TimeoutException(), true },
        { new InvalidOperationException("", new TimeoutException()), true },
        { new DatabaseFailure("57P01"), true },
        { new DatabaseFailure("08006"), true },
        { new DatabaseFailure("53300"), true },
        { new InvalidOperationException("", new DatabaseFailure("57P03")), true },
        { new DatabaseFailure("22021"), false },
        { new DatabaseFailure(null), false },
        { new SqliteException("busy", 5), true },
        { new SqliteException("locked", 6), true },
        { new SqliteException("I/O error", 10), true },
        { new InvalidOperationException("", new SqliteException("full", 13)), true },
        { new SqliteException("corrupt", 11), false },
        { new RabbitMQ.Client.Exceptions.BrokerUnreachableException(new InvalidOperationException()), true },
        { new FormatException(), false },
    };

    [Theory]
    [MemberData(nameof(Failures))]
    public void What_passes_by_itself_is_told_from_what_does_not(Exception failure, bool transient) =>
        Assert.Equal(transient, TransientFailures.Is(failure));

    [Fact]
    public void A_connection_that_is_lost_between_two_statements_passes()
    {
        using var lost = new NpgsqlConnection("Host=localhost");
        Assert.True(TransientFailures.Is(Assert.Throws<InvalidOperationException>(() => lost.BeginTransaction())));
    }

    private sealed class DatabaseFailure(string? state) : DbException
    {
        public override string? SqlState { get; } = state;
    }
}
