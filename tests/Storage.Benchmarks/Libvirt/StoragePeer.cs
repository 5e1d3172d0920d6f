using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using Storage.Benchmarks.Services;

namespace Storage.Benchmarks.Libvirt;

/// <summary>Storage with one host.</summary>
internal sealed class StoragePeer : IPeer
{
    public string Name => "Storage";

    public required RunningStorage Storage { get; init; }

    /// <summary>Everything that this process started but those of other peers.</summary>
    public required Func<IReadOnlyCollection<int>> Others { get; init; }

    public TimeSpan Cpu => ProcessTree.Cpu(ProcessTree.ChildrenOf(Environment.ProcessId), Others());

    public static async Task<StoragePeer> StartAsync(Func<IReadOnlyCollection<int>> others) =>
        new() { Storage = await RunningStorage.StartAsync(), Others = others };

    public async Task<IPeerPool> CreatePoolAsync(string name, string path)
    {
        await Storage.CreatePoolAsync(name, path);
        return new Pool(this, name);
    }

    public Task CyclePoolsAsync(IReadOnlyList<(string Name, string Path)> pools, int clients) => Parallel.ForEachAsync(
        pools, new ParallelOptions { MaxDegreeOfParallelism = clients },
        async (pool, _) =>
        {
            await Storage.CreatePoolAsync(pool.Name, pool.Path);
            await Storage.RunAsync(HttpMethod.Post, $"/v1/pools/{pool.Name}/stop");
            await Storage.RunAsync(HttpMethod.Delete, $"/v1/pools/{pool.Name}");
        });

    public ValueTask DisposeAsync() => Storage.DisposeAsync();

    private KeptConnection Connect() => new(Storage.Fleet.Api.Address, Storage.Fleet.Http.DefaultRequestHeaders.Authorization!.ToString());

    private sealed class Pool(StoragePeer peer, string name) : IPeerPool
    {
        private const int Together = 1000;

        private RunningStorage Storage => peer.Storage;

        private string Path => $"/v1/pools/{name}";

        public async Task<IReadOnlyCollection<TimeSpan>> CreateAsync(IReadOnlyList<NewVolume> volumes, int clients)
        {
            var took = new ConcurrentQueue<TimeSpan>();
            await ForEachAsync(volumes, clients, async volume =>
            {
                var began = Stopwatch.GetTimestamp();
                await Storage.RunAsync(HttpMethod.Post, $"{Path}/volumes", Body(volume));
                took.Enqueue(Stopwatch.GetElapsedTime(began));
            });
            return took;
        }

        public async Task CreateTogetherAsync(IReadOnlyList<NewVolume> volumes)
        {
            foreach (var chunk in volumes.Chunk(Together))
                await Storage.RunAsync(HttpMethod.Post, $"{Path}/volumes", chunk.Select(Body).ToArray());
        }

        public async Task<CreatedOnSchedule?> CreateOnScheduleAsync(IReadOnlyList<NewVolume> volumes, int perSecond) => await ScheduledCommands.RunAsync(
            Storage, perSecond, [.. volumes.Select(volume => volume.Name)],
            i => Storage.SendAsync(HttpMethod.Post, $"{Path}/volumes", Body(volumes[i]), wait: false));

        public Task DeleteAsync(IReadOnlyList<string> names, int clients) =>
            ForEachAsync(names, clients, volume => Storage.RunAsync(HttpMethod.Delete, $"{Path}/volumes/{volume}"));

        public async Task DeleteTogetherAsync(IReadOnlyList<string> names)
        {
            foreach (var chunk in names.Chunk(Together))
                await Storage.RunAsync(HttpMethod.Post, $"{Path}/volumes/delete", new { volumes = chunk });
        }

        public Task CloneAsync(string source, NewVolume target, bool reflink) => Storage.RunAsync(
            HttpMethod.Post, $"{Path}/volumes/{source}/clone?reflink={(reflink ? "true" : "false")}",
            new { name = target.Name, format = target.Format, allocation = 0 });

        public async Task<TimeSpan?> RefreshAsync()
        {
            var operation = await Storage.RunAsync(HttpMethod.Post, $"{Path}/refresh");
            var id = operation.GetProperty("id").GetGuid();
            var end = (await Storage.Fleet.Client.ReadAsync($"/v1/events?resource=operations/{id}&limit=1000")).GetProperty("items").EnumerateArray()
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

        public async ValueTask DisposeAsync() => await Storage.RunAsync(HttpMethod.Post, $"{Path}/stop");

        private void Read(KeptConnection connection, string name)
        {
            using var volume = JsonDocument.Parse(connection.Get($"{Path}/volumes/{name}"));
            if (volume.RootElement.GetProperty("name").GetString() != name)
                throw new InvalidOperationException($"{name} was asked for, not {volume.RootElement}.");
        }

        private async Task<JsonDocument> GetAsync(string path)
        {
            using var response = await Storage.Fleet.Http.GetAsync(path, HttpCompletionOption.ResponseHeadersRead);
            response.EnsureSuccessStatusCode();
            await using var stream = await response.Content.ReadAsStreamAsync();
            return await JsonDocument.ParseAsync(stream);
        }

        private static object Body(NewVolume volume) => new { name = volume.Name, format = volume.Format, capacity = volume.Capacity, allocation = 0 };

        private static Task ForEachAsync<T>(IEnumerable<T> items, int clients, Func<T, Task> action) =>
            Parallel.ForEachAsync(items, new ParallelOptions { MaxDegreeOfParallelism = clients }, async (item, _) => await action(item));
    }
}
