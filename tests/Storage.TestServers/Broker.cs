using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using RabbitMQ.Client;

namespace Storage.TestServers;

/// <summary>The RabbitMQ server of the tests.</summary>
public sealed class Broker(IServer server, string host, int port, int managementPort, NetworkCredential user) : IAsyncDisposable
{
    private readonly HttpClient _management = new()
    {
        BaseAddress = new Uri($"http://{host}:{managementPort}/api/"),
        DefaultRequestHeaders =
        {
            Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user.UserName}:{user.Password}"))),
        },
    };

    /// <summary>What a node is started with besides its configuration.</summary>
    /// <param name="consumerTimeout">It ends a consumer that holds a message for so long, give or take a second; its own half hour where nothing is said.</param>
    public static string ErlangArguments(TimeSpan? consumerTimeout) => consumerTimeout is { } timeout
        ? string.Create(CultureInfo.InvariantCulture, $"-rabbit consumer_timeout {timeout.TotalMilliseconds:0} -rabbit channel_tick_interval 1000")
        : "";

    /// <summary>Where a virtual host is reached.</summary>
    public Uri Address(string virtualHost) => new($"amqp://{user.UserName}:{user.Password}@{host}:{port}/{virtualHost}");

    /// <summary>Starts it and waits until it serves.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await server.StartAsync(cancellationToken);
        await Eventually.HoldsAsync("RabbitMQ to answer", AnswersAsync, TimeSpan.FromSeconds(120), () => server.Failure);
    }

    public Task StopAsync() => server.StopAsync();

    public Task KillAsync() => server.KillAsync();

    public async Task<string> VersionAsync(CancellationToken cancellationToken)
    {
        var overview = await _management.GetFromJsonAsync<Overview>("overview", cancellationToken);
        return overview!.rabbitmq_version;
    }

    public async Task CreateVirtualHostAsync(string name, CancellationToken cancellationToken)
    {
        (await _management.PutAsync($"vhosts/{name}", null, cancellationToken)).EnsureSuccessStatusCode();
        var all = new { configure = ".*", write = ".*", read = ".*" };
        (await _management.PutAsJsonAsync($"permissions/{name}/{user.UserName}", all, cancellationToken)).EnsureSuccessStatusCode();
    }

    /// <summary>Ends all connections to a virtual host.</summary>
    public async Task CutAsync(string virtualHost, CancellationToken cancellationToken)
    {
        var connections = await _management.GetFromJsonAsync<Connection[]>($"vhosts/{virtualHost}/connections", cancellationToken);
        foreach (var connection in connections ?? [])
            await _management.DeleteAsync($"connections/{Uri.EscapeDataString(connection.name)}", cancellationToken);
    }

    public async Task DeleteVirtualHostAsync(string name, CancellationToken cancellationToken) =>
        (await _management.DeleteAsync($"vhosts/{name}", cancellationToken)).EnsureSuccessStatusCode();

    public async ValueTask DisposeAsync()
    {
        _management.Dispose();
        await server.DisposeAsync();
    }

    private async Task<bool> AnswersAsync(CancellationToken cancellationToken)
    {
        await VersionAsync(cancellationToken);
        await using var connection = await new ConnectionFactory { Uri = Address("%2F") }.CreateConnectionAsync(cancellationToken);
        return connection.IsOpen;
    }

    private sealed record Overview(string rabbitmq_version);

    private sealed record Connection(string name);
}
