using System.Data.Common;
using System.Net.Sockets;
using MassTransit;
using Microsoft.Data.Sqlite;
using RabbitMQ.Client.Exceptions;
using Storage.Contracts;

namespace Storage.Hosting;

/// <summary>Which failures pass by themselves: the database or the broker is away or busy, a disk is full, or the error says so itself.</summary>
public static class TransientFailures
{
    /// <summary>SQLSTATE classes: connection lost, no resources, the server is going down or coming up.</summary>
    private static readonly string[] PassingStates = ["08", "53", "57P"];

    /// <summary>SQLite's result codes: busy, locked, I/O error, disk full. It has no SQLSTATE.</summary>
    private static readonly int[] PassingResults = [5, 6, 10, 13];

    public static bool Is(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            if (exception is StorageException storage)
                return storage.Error.Retryable;
            if (exception is TimeoutException or SocketException or RabbitMQClientException or BrokerUnreachableException or ConnectionException or TransportUnavailableException
                || exception is DbException database && Is(database) || IsLostConnection(exception))
                return true;
        }
        return false;
    }

    /// <summary>
    /// A connection that broke between two statements (the server said goodbye after the answer to the first) is no database failure to
    /// Npgsql but a wrong call: its transaction is already completed, or it is not open.
    /// </summary>
    private static bool IsLostConnection(Exception exception) => exception is InvalidOperationException { Source: "Npgsql" };

    private static bool Is(DbException exception) =>
        exception.IsTransient
        || exception is SqliteException sqlite && PassingResults.Contains(sqlite.SqliteErrorCode)
        || PassingStates.Any(state => exception.SqlState?.StartsWith(state, StringComparison.Ordinal) is true);
}
