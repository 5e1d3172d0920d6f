using System.Net.Http.Headers;
using System.Text.Json;
using Storage.IntegrationTests;
using Storage.TestServers;

namespace Storage.Benchmarks.Libvirt;

/// <summary>
/// Storage as it is run: Api, Inventory and a File worker as processes, with a RabbitMQ and a PostgreSQL of their own that write to disk
/// before they answer. Used over HTTP; a command has ended when its outcome is in the inventory.
/// </summary>
internal sealed class StoragePeer : IPeer
{
    private readonly TestBackends backends = new() { Durable = true };
    private Fleet fleet = null!;

    public string Name => "Storage";

    /// <summary>Everything that this process started but those of other peers.</summary>
    public required Func<IReadOnlyCollection<int>> Others { get; init; }

    /// <summary>The services with their processes, and where each tells its metrics.</summary>
    public IEnumerable<(string Name, int Process, Uri Metrics)> Services =>
        fleet.Workers.Append(fleet.Api).Append(fleet.Inventory).Select(service => (service.Name, service.Id, new Uri(service.Address, "/metrics")));

    /// <summary>Asks services for their metrics.</summary>
    public HttpClient Metrics => fleet.Http;

    public TimeSpan Cpu => ProcessTree.Cpu(ProcessTree.ChildrenOf(Environment.ProcessId), Others());

    /// <summary>What must be installed for it; empty when it can be started.</summary>
    public static IReadOnlyList<string> Missing() => LocalServers.Missing();

    public static async Task<StoragePeer> StartAsync(Func<IReadOnlyCollection<int>> others)
    {
        var peer = new StoragePeer { Others = others };
        await peer.backends.InitializeAsync();
        peer.fleet = await Fleet.StartAsync(peer.backends);
        return peer;
    }

    public async Task<IPeerPool> CreatePoolAsync(string name, string path)
    {
        await RunAsync(HttpMethod.Post, "/v1/pools", new { type = "dir", name, target = new { path } });
        await RunAsync(HttpMethod.Post, $"/v1/pools/{name}/build");
        await RunAsync(HttpMethod.Post, $"/v1/pools/{name}/start");
        return new Pool(this, name);
    }

    public Task CyclePoolsAsync(IReadOnlyList<(string Name, string Path)> pools, int clients) => Parallel.ForEachAsync(
        pools, new ParallelOptions { MaxDegreeOfParallelism = clients },
        async (pool, _) =>
        {
            await CreatePoolAsync(pool.Name, pool.Path);
            await RunAsync(HttpMethod.Post, $"/v1/pools/{pool.Name}/stop");
            await RunAsync(HttpMethod.Delete, $"/v1/pools/{pool.Name}");
        });

    public async ValueTask DisposeAsync()
    {
        if (fleet is not null)
            await fleet.DisposeAsync();
        await backends.DisposeAsync();
    }

    /// <summary>Sends a command, waits for its end and gives the operation.</summary>
    private async Task<JsonElement> RunAsync(HttpMethod method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(method, path)
        {
            Content = body is null ? null : new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body, body.GetType()))
            {
                Headers = { ContentType = new MediaTypeHeaderValue("application/json") },
            },
        };
        request.Headers.Add("Prefer", "wait=120");
        using var response = await fleet.Http.SendAsync(request);
        await using var stream = await response.Content.ReadAsStreamAsync();
        using var answer = await JsonDocument.ParseAsync(stream);
        return response.IsSuccessStatusCode && answer.RootElement.GetProperty("state").GetString() == "succeeded"
            ? answer.RootElement.Clone()
            : throw new InvalidOperationException($"{method} {path}: {(int)response.StatusCode} {answer.RootElement}");
    }

    private KeptConnection Connect() => new(fleet.Api.Address, fleet.Http.DefaultRequestHeaders.Authorization!.ToString());

    private sealed class Pool(StoragePeer peer, string name) : IPeerPool
    {
        private const int Together = 1000;

        private string Path => $"/v1/pools/{name}";

        public Task CreateAsync(IReadOnlyList<NewVolume> volumes, int clients) =>
            ForEachAsync(volumes, clients, volume => peer.RunAsync(HttpMethod.Post, $"{Path}/volumes", Body(volume)));

        public async Task CreateTogetherAsync(IReadOnlyList<NewVolume> volumes)
        {
            foreach (var chunk in volumes.Chunk(Together))
                await peer.RunAsync(HttpMethod.Post, $"{Path}/volumes", chunk.Select(Body).ToArray());
        }

        public Task DeleteAsync(IReadOnlyList<string> names, int clients) =>
            ForEachAsync(names, clients, volume => peer.RunAsync(HttpMethod.Delete, $"{Path}/volumes/{volume}"));

        public async Task DeleteTogetherAsync(IReadOnlyList<string> names)
        {
            foreach (var chunk in names.Chunk(Together))
                await peer.RunAsync(HttpMethod.Post, $"{Path}/volumes/delete", new { volumes = chunk });
        }

        public Task CloneAsync(string source, NewVolume target, bool reflink) => peer.RunAsync(
            HttpMethod.Post, $"{Path}/volumes/{source}/clone?reflink={(reflink ? "true" : "false")}",
            new { name = target.Name, format = target.Format, allocation = 0 });

        public async Task<TimeSpan?> RefreshAsync()
        {
            var operation = await peer.RunAsync(HttpMethod.Post, $"{Path}/refresh");
            var id = operation.GetProperty("id").GetGuid();
            var end = (await peer.fleet.Client.ReadAsync($"/v1/events?resource=operations/{id}&limit=1000")).GetProperty("items").EnumerateArray()
                .First(entry => entry.GetProperty("type").GetString() == "OperationSucceeded");
            return end.GetProperty("occurredAt").GetDateTimeOffset() - operation.GetProperty("dispatchedAt").GetDateTimeOffset();
        }

        /// <summary>Each client is a thread with a connection of its own, as with libvirt.</summary>
        public async Task ReadAsync(IReadOnlyList<string> names, int clients)
        {
            var next = -1;
            await Task.WhenAll(Enumerable.Range(0, clients).Select(_ => Task.Factory.StartNew(
                () =>
                {
                    using var connection = peer.Connect();
                    while (Interlocked.Increment(ref next) is var at && at < names.Count)
                        Read(connection, names[at]);
                },
                CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
        }

        public async Task<int> ListAsync()
        {
            var count = 0;
            string? cursor = null;
            do
            {
                using var page = await GetAsync($"{Path}/volumes?limit={Together}{(cursor is null ? "" : $"&cursor={cursor}")}");
                count += page.RootElement.GetProperty("items").EnumerateArray().Count(volume => volume.GetProperty("name").GetString()!.Length > 0);
                cursor = page.RootElement.TryGetProperty("next", out var following) ? following.GetString() : null;
            }
            while (cursor is not null);
            return count;
        }

        public async ValueTask DisposeAsync() => await peer.RunAsync(HttpMethod.Post, $"{Path}/stop");

        private void Read(KeptConnection connection, string name)
        {
            using var volume = JsonDocument.Parse(connection.Get($"{Path}/volumes/{name}"));
            if (volume.RootElement.GetProperty("name").GetString() != name)
                throw new InvalidOperationException($"{name} was asked for, not {volume.RootElement}.");
        }

        private async Task<JsonDocument> GetAsync(string path)
        {
            using var response = await peer.fleet.Http.GetAsync(path, HttpCompletionOption.ResponseHeadersRead);
            response.EnsureSuccessStatusCode();
            await using var stream = await response.Content.ReadAsStreamAsync();
            return await JsonDocument.ParseAsync(stream);
        }

        private static object Body(NewVolume volume) => new { name = volume.Name, format = volume.Format, capacity = volume.Capacity, allocation = 0 };

        private static Task ForEachAsync<T>(IEnumerable<T> items, int clients, Func<T, Task> action) =>
            Parallel.ForEachAsync(items, new ParallelOptions { MaxDegreeOfParallelism = clients }, async (item, _) => await action(item));
    }
}
