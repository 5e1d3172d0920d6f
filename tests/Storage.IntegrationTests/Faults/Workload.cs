using System.Collections.Concurrent;

namespace Storage.IntegrationTests;

/// <summary>
/// Clients that send random commands at once, by HTTP and AMQP, good and bad ones, some twice. The seed says what is sent; when it
/// arrives is left to chance.
/// </summary>
public sealed class Workload(FaultScene scene, int seed)
{
    private const int Clients = 6;
    private const int NamesPerPool = 120;

    /// <summary>Milliseconds between two commands of a client: a machine that is always full shows few faults.</summary>
    private const int MostPause = 200;

    /// <summary>Nor does one that is behind: with so many waiting, no more are sent.</summary>
    private const int MostQueued = 500;

    private readonly FaultClient client = scene.Client;
    private readonly ConcurrentStack<Guid> recent = new();
    private volatile bool behind;

    public Task RunAsync(CancellationToken until) => Task.WhenAll(Enumerable.Range(0, Clients).Select(client => Task.Run(async () =>
    {
        var random = new Random(HashCode.Combine(seed, client));
        while (!until.IsCancellationRequested)
        {
            if (!behind)
                await StepAsync(random);
            await Task.Delay(random.Next(MostPause), CancellationToken.None);
        }
    })).Append(WatchQueueAsync(until)));

    /// <summary>A volume that is made with the passphrase of the run.</summary>
    public static object Encrypted(string name) => new
    {
        name,
        format = "raw",
        capacity = 1 << 20,
        allocation = 0,
        encryption = new { format = "luks", secrets = new[] { new { usage = FaultRun.SecretUsage, type = "passphrase" } } },
    };

    private async Task WatchQueueAsync(CancellationToken until)
    {
        while (!until.IsCancellationRequested)
        {
            try
            {
                var queued = await scene.Fleet.Client.ReadAsync($"/v1/operations?state=queued&limit={MostQueued}");
                behind = queued.GetProperty("items").GetArrayLength() == MostQueued;
            }
            catch (Exception e) when (e is HttpRequestException or InvalidOperationException or OperationCanceledException or TimeoutException)
            {
                // The API is away.
            }
            await Task.Delay(1000, CancellationToken.None);
        }
    }

    private async Task StepAsync(Random random)
    {
        var pool = scene.Pools[random.Next(scene.Pools.Count)];
        var volumes = $"/v1/pools/{pool.Name}/volumes";
        var name = $"v{random.Next(NamesPerPool)}";
        var key = NewGuid(random);
        switch (random.Next(pool.Rough ? 100 : 88))
        {
            case < 22:
                await SendAsync(HttpMethod.Post, volumes, Raw(random, name), key);
                break;
            case < 25:
                await SendAsync(HttpMethod.Post, volumes, Raw(random, name), key, expiresIn: 1 + random.Next(2));
                break;
            case < 26:
                await SendAsync(HttpMethod.Post, volumes, Encrypted(name), key);
                break;
            case < 34:
                await SendAsync(HttpMethod.Post, volumes, new { name, capacity = 1 << 20, format = random.Next(3) == 0 ? "qcow2" : "qed" }, key);
                break;
            case < 40:
                var first = random.Next(NamesPerPool);
                var many = Enumerable.Range(first, 10).Select(i => Raw(random, $"v{i % NamesPerPool}")).ToList();
                await SendAsync(HttpMethod.Post, volumes, many, key);
                break;
            case < 43:
                var from = random.Next(NamesPerPool);
                await SendAsync(HttpMethod.Post, $"{volumes}/delete", new { volumes = Enumerable.Range(from, 4).Select(i => $"v{i % NamesPerPool}") }, key);
                break;
            case < 64:
                await SendAsync(HttpMethod.Delete, $"{volumes}/{name}", null, key);
                break;
            case < 68:
                await SendAsync(HttpMethod.Post, $"{volumes}/{name}/refresh", null, key);
                break;
            case < 74:
                await client.TwiceAsync(volumes, Raw(random, name), key);
                break;
            case < 78:
                await Task.WhenAll(
                    SendAsync(HttpMethod.Post, volumes, Raw(random, name), key),
                    SendAsync(HttpMethod.Delete, $"{volumes}/{name}", null, NewGuid(random)));
                break;
            case < 82:
                if (recent.TryPop(out var some))
                    await SendAsync(HttpMethod.Post, $"/v1/operations/{some}/cancel", null, key);
                break;
            case < 88:
                await client.PublishAsync(pool.Name, name, key, times: 1 + random.Next(3));
                break;
            case < 93:
                await SendAsync(HttpMethod.Post, $"/v1/pools/{pool.Name}/refresh", null, key);
                break;
            case < 97:
                await SendAsync(HttpMethod.Post, $"/v1/pools/{pool.Name}/stop", null, key);
                await SendAsync(HttpMethod.Post, $"/v1/pools/{pool.Name}/start", null, NewGuid(random));
                break;
            default:
                await LiveAsync(random);
                break;
        }
    }

    /// <summary>A pool from its definition to its end.</summary>
    private async Task LiveAsync(Random random)
    {
        var name = $"short-{random.Next(1 << 20):x}";
        var at = $"/v1/pools/{name}";
        await SendAsync(HttpMethod.Post, "/v1/pools", new { type = "dir", name, target = new { path = scene.Fleet.PoolPath(name) } }, NewGuid(random));
        foreach (var step in new[] { "build", "start" })
            await SendAsync(HttpMethod.Post, $"{at}/{step}", null, NewGuid(random));
        await SendAsync(HttpMethod.Post, $"{at}/volumes", Raw(random, "only"), NewGuid(random));
        await SendAsync(HttpMethod.Delete, $"{at}/volumes/only", null, NewGuid(random));
        foreach (var step in new[] { "stop", "delete" })
            await SendAsync(HttpMethod.Post, $"{at}/{step}", null, NewGuid(random));
        await SendAsync(HttpMethod.Delete, at, null, NewGuid(random));
    }

    private async Task SendAsync(HttpMethod method, string path, object? body, Guid key, int? expiresIn = null)
    {
        if (await client.SendAsync(method, path, body, key, expiresIn) is { } id)
            recent.Push(id);
    }

    private static object Raw(Random random, string name) =>
        new { name, capacity = 65536, allocation = random.Next(2) * 65536 };

    private static Guid NewGuid(Random random)
    {
        Span<byte> bytes = stackalloc byte[16];
        random.NextBytes(bytes);
        return new Guid(bytes);
    }
}
