using System.Net.Http.Headers;
using System.Text.Json;
using Storage.IntegrationTests;
using Storage.TestServers;

namespace Storage.Benchmarks.Services;

/// <summary>
/// Storage as it is run: Api, Inventory and, where nothing else is said, a File worker as processes, with a RabbitMQ and a PostgreSQL of their
/// own that write to disk before they answer. Used over HTTP; a command has ended when its outcome is in the inventory.
/// </summary>
internal sealed class RunningStorage : IAsyncDisposable
{
    private readonly TestBackends backends = new() { Durable = true };

    private RunningStorage()
    {
    }

    public Fleet Fleet { get; private set; } = null!;

    /// <summary>The services with their processes, and where each tells its metrics.</summary>
    public IEnumerable<(string Name, int Process, Uri Metrics)> Services =>
        Fleet.Workers.Append(Fleet.Api).Append(Fleet.Inventory).Select(service => (service.Name, service.Id, new Uri(service.Address, "/metrics")));

    /// <summary>What must be installed for it; empty when it can be started.</summary>
    public static IReadOnlyList<string> Missing() => LocalServers.Missing();

    /// <returns>Whether it can be started; what is missing has been said.</returns>
    public static bool CanStart()
    {
        if (Missing() is not { Count: > 0 } missing)
            return true;
        Console.Error.WriteLine($"Missing: {string.Join(", ", missing)}. On Debian: apt-get install --no-install-recommends rabbitmq-server postgresql.");
        return false;
    }

    public static async Task<RunningStorage> StartAsync(FleetLayout? layout = null)
    {
        // Servers in containers are no processes of this one.
        Environment.SetEnvironmentVariable("TEST_BACKEND", "local");
        var storage = new RunningStorage();
        try
        {
            await storage.backends.InitializeAsync();
            storage.Fleet = await Fleet.StartAsync(storage.backends, layout);
            return storage;
        }
        catch
        {
            await storage.DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits until so many hosts are known and none of them is lost.</summary>
    public Task KnowsHostsAsync(int count) => Eventually.HoldsAsync(
        $"{count} hosts to be known",
        async _ => (await Fleet.Client.ReadAllAsync("/v1/hosts", 1000)).Count(host => !host.GetProperty("lost").GetBoolean()) == count,
        TimeSpan.FromMinutes(3));

    /// <summary>A started directory pool.</summary>
    /// <param name="host">Where; null is the only host.</param>
    public async Task CreatePoolAsync(string name, string path, string? host = null)
    {
        await RunAsync(HttpMethod.Post, $"/v1/pools{(host is null ? "" : $"?host={host}")}", new { type = "dir", name, target = new { path } });
        await RunAsync(HttpMethod.Post, $"/v1/pools/{name}/build");
        await RunAsync(HttpMethod.Post, $"/v1/pools/{name}/start");
    }

    /// <summary>Sends a command, waits for its end and gives the operation.</summary>
    public async Task<JsonElement> RunAsync(HttpMethod method, string path, object? body = null)
    {
        var operation = await SendAsync(method, path, body, wait: true);
        return operation.GetProperty("state").GetString() == "succeeded" ? operation : throw new InvalidOperationException($"{method} {path}: {operation}");
    }

    /// <summary>Sends a command and gives its operation as it was accepted or, after a wait, as it has ended.</summary>
    public async Task<JsonElement> SendAsync(HttpMethod method, string path, object? body, bool wait)
    {
        using var request = new HttpRequestMessage(method, path)
        {
            Content = body is null ? null : new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body, body.GetType()))
            {
                Headers = { ContentType = new MediaTypeHeaderValue("application/json") },
            },
        };
        if (wait)
            request.Headers.Add("Prefer", "wait=120");
        using var response = await Fleet.Http.SendAsync(request);
        await using var stream = await response.Content.ReadAsStreamAsync();
        using var answer = await JsonDocument.ParseAsync(stream);
        return response.IsSuccessStatusCode
            ? answer.RootElement.Clone()
            : throw new InvalidOperationException($"{method} {path}: {(int)response.StatusCode} {answer.RootElement}");
    }

    public async ValueTask DisposeAsync()
    {
        if (Fleet is not null)
            await Fleet.DisposeAsync();
        await backends.DisposeAsync();
    }
}
