using System.Text.Json;
using Storage.Contracts;
using Xunit;

namespace Storage.HostTests;

/// <summary>A worker with directory pools that run, and what it tells of them by itself.</summary>
internal sealed class WatchedPools : IAsyncDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("watched-").FullName;
    private readonly List<PoolDefinition> pools = [];

    public WorkerOnHost Worker { get; } = WorkerOnHost.OfFileFamily();

    /// <summary>Where a test puts what is not in a pool.</summary>
    public string Beside => Directory.CreateDirectory(Path.Combine(folder, "beside")).FullName;

    /// <summary>A pool whose directory is there with some files, started.</summary>
    public async Task<PoolDefinition> StartAsync(string name, params string[] files)
    {
        if (pools.Count == 0)
            await Worker.StartAsync();
        var pool = Define(name);
        Directory.CreateDirectory(pool.Target.Path!);
        foreach (var file in files)
            await File.WriteAllTextAsync(In(pool, file), "old", TestContext.Current.CancellationToken);
        await DoneAsync(pool, new StartPool(null, name));
        return pool;
    }

    public async Task DoneAsync<T>(PoolDefinition pool, T command)
        where T : ICommand => Assert.Equal(nameof(OperationSucceeded), (await Worker.RunAsync(pool, command)).Type);

    public static string In(PoolDefinition pool, string name) => Path.Combine(pool.Target.Path!, name);

    public IEnumerable<StorageEvent> Told<T>(PoolDefinition pool) =>
        Worker.Events.Where(told => told.Type == typeof(T).Name && Resources.PoolOf(told.Resource) == pool.Uuid);

    public IEnumerable<VolumesSeen> Seen(PoolDefinition pool) => Told<VolumesSeen>(pool).Select(told => told.Data.Deserialize<VolumesSeen>(StorageJson.Options)!);

    /// <summary>What is told of a pool for the first time.</summary>
    public async Task<T> FirstAsync<T>(PoolDefinition pool, Func<T, bool>? wanted = null) =>
        (await Worker.FirstAsync(told => told.Type == typeof(T).Name && Resources.PoolOf(told.Resource) == pool.Uuid
            && (wanted is null || wanted(told.Data.Deserialize<T>(StorageJson.Options)!)))).Data.Deserialize<T>(StorageJson.Options)!;

    /// <summary>Ends when what the kernel has told before this was looked at: the same way brings news of another pool.</summary>
    public async Task SettledAsync()
    {
        var name = Guid.NewGuid().ToString();
        var other = await StartAsync($"other-{name}");
        await File.WriteAllTextAsync(In(other, name), "", TestContext.Current.CancellationToken);
        await FirstAsync<VolumesSeen>(other);
    }

    private PoolDefinition Define(string name)
    {
        var pool = new PoolDefinition
        {
            Type = PoolType.Dir,
            Name = name,
            Uuid = Guid.NewGuid(),
            Target = new PoolTarget { Path = Path.Combine(folder, name) },
        };
        pools.Add(pool);
        return pool;
    }

    public async ValueTask DisposeAsync()
    {
        await Worker.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }
}
