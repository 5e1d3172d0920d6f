using System.Net;
using Npgsql;

namespace Storage.TestServers;

/// <summary>The PostgreSQL server of the tests.</summary>
public sealed class Database(IServer server, string host, int port, NetworkCredential user) : IAsyncDisposable
{
    /// <summary>The connection string of a database.</summary>
    public string ConnectionString(string database) => new NpgsqlConnectionStringBuilder
    {
        Host = host,
        Port = port,
        Username = user.UserName,
        Password = user.Password,
        Database = database,
    }.ConnectionString;

    /// <summary>Starts it and waits until it serves.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await server.StartAsync(cancellationToken);
        await Eventually.GetAsync("PostgreSQL to answer", async ct => await VersionAsync(ct), TimeSpan.FromSeconds(180), () => server.Failure);
    }

    public Task StopAsync() => server.StopAsync();

    public Task KillAsync() => server.KillAsync();

    public async Task<string> VersionAsync(CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(cancellationToken);
        return connection.ServerVersion;
    }

    public Task CreateAsync(string database, CancellationToken cancellationToken) =>
        ExecuteAsync($"CREATE DATABASE {database} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'", cancellationToken);

    /// <summary>Ends all connections to a database, as a fail-over or a firewall does.</summary>
    public Task CutAsync(string database, CancellationToken cancellationToken) => ExecuteAsync(
        $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'", cancellationToken);

    /// <summary>Removes a database, also while somebody is connected to it.</summary>
    public Task DropAsync(string database, CancellationToken cancellationToken) =>
        ExecuteAsync($"DROP DATABASE IF EXISTS {database} WITH (FORCE)", cancellationToken);

    public async ValueTask DisposeAsync() => await server.DisposeAsync();

    private async Task ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        // Not from the pool: connections of before a restart would fail.
        var connection = new NpgsqlConnection(ConnectionString("postgres") + ";Pooling=false");
        await connection.OpenAsync(cancellationToken);
        return connection;
    }
}
