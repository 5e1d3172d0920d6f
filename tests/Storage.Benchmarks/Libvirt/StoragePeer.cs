using System.Collections.Concurrent;
using System.Diagnostics;
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
        return new Pool(Storage, name);
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

    private sealed class Pool(RunningStorage storage, string name) : IPeerPool
    {
        private const int Together = 1000;

        private string Path => $"/v1/pools/{name}";

        public async Task<IReadOnlyCollection<TimeSpan>> CreateAsync(IReadOnlyList<NewVolume> volumes, int clients)
        {
            var took = new ConcurrentQueue<TimeSpan>();
            await ForEachAsync(volumes, clients, async volume =>
            {
                var began = Stopwatch.GetTimestamp();
                await storage.RunAsync(HttpMethod.Post, $"{Path}/volumes", Body(volume));
                took.Enqueue(Stopwatch.GetElapsedTime(began));
            });
            return took;
        }

        public async Task CreateTogetherAsync(IReadOnlyList<NewVolume> volumes)
        {
            foreach (var chunk in volumes.Chunk(Together))
                await storage.RunAsync(HttpMethod.Post, $"{Path}/volumes", chunk.Select(Body).ToArray());
        }

        public async Task<CreatedOnSchedule?> CreateOnScheduleAsync(IReadOnlyList<NewVolume> volumes, int perSecond) => await ScheduledCommands.RunAsync(
            storage, perSecond, [.. volumes.Select(volume => volume.Name)],
            i => storage.SendAsync(HttpMethod.Post, $"{Path}/volumes", Body(volumes[i]), wait: false));

        public Task DeleteAsync(IReadOnlyList<string> names, int clients) =>
            ForEachAsync(names, clients, volume => storage.RunAsync(HttpMethod.Delete, $"{Path}/volumes/{volume}"));

        public Task CloneAsync(string source, NewVolume target, bool reflink) => storage.RunAsync(
            HttpMethod.Post, $"{Path}/volumes/{source}/clone?reflink={(reflink ? "true" : "false")}",
            new { name = target.Name, format = target.Format, allocation = 0 });

        public async Task<TimeSpan?> RefreshAsync()
        {
            var operation = await storage.RunAsync(HttpMethod.Post, $"{Path}/refresh");
            var id = operation.GetProperty("id").GetGuid();
            var end = (await storage.Fleet.Client.ReadAsync($"/v1/events?resource=operations/{id}&limit=1000")).GetProperty("items").EnumerateArray()
                .First(entry => entry.GetProperty("type").GetString() == "OperationSucceeded");
            return end.GetProperty("occurredAt").GetDateTimeOffset() - operation.GetProperty("dispatchedAt").GetDateTimeOffset();
        }

        public Task ReadAsync(IReadOnlyList<string> names, int clients) => ForEachAsync(
            names, clients,
            async volume =>
            {
                using var response = await storage.Fleet.Http.GetAsync($"{Path}/volumes/{volume}");
                response.EnsureSuccessStatusCode();
                await response.Content.ReadAsByteArrayAsync();
            });

        public async Task<int> ListAsync() => (await storage.Fleet.Client.ReadAllAsync($"{Path}/volumes", 1000)).Count;

        public async ValueTask DisposeAsync() => await storage.RunAsync(HttpMethod.Post, $"{Path}/stop");

        private static object Body(NewVolume volume) => new { name = volume.Name, format = volume.Format, capacity = volume.Capacity, allocation = 0 };

        private static Task ForEachAsync<T>(IEnumerable<T> items, int clients, Func<T, Task> action) =>
            Parallel.ForEachAsync(items, new ParallelOptions { MaxDegreeOfParallelism = clients }, async (item, _) => await action(item));
    }
}
