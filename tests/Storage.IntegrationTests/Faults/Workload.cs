using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using RabbitMQ.Client;
using Storage.Contracts;
using Xunit;

namespace Storage.IntegrationTests;

/// <summary>
/// Clients that send random commands at once, by HTTP and AMQP, good and bad ones, some twice. A client that gets no answer asks again
/// with the same key until it has one. The seed says what is sent; when it arrives is left to chance.
/// </summary>
public sealed class Workload(Fleet fleet, IReadOnlyList<FaultPool> pools, int seed)
{
    private const int Clients = 6;
    private const int NamesPerPool = 120;

    /// <summary>Milliseconds between two commands of a client: a machine that is always full shows few faults.</summary>
    private const int MostPause = 200;

    /// <summary>Nor does one that is behind: with so many waiting, no more are sent.</summary>
    private const int MostQueued = 500;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private readonly ConcurrentQueue<string> violations = new();
    private readonly ConcurrentDictionary<Guid, string> accepted = new();
    private readonly ConcurrentQueue<Guid> recent = new();
    private int refused;
    private int sent;
    private volatile bool behind;

    public IReadOnlyDictionary<Guid, string> Accepted => accepted;

    public IReadOnlyCollection<string> Violations => violations;

    public int Sent => sent;

    public int Refused => refused;

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

    private async Task WatchQueueAsync(CancellationToken until)
    {
        while (!until.IsCancellationRequested)
        {
            try
            {
                var queued = await fleet.Client.ReadAsync($"/v1/operations?state=queued&limit={MostQueued}");
                behind = queued.GetProperty("items").GetArrayLength() == MostQueued;
            }
            catch (Exception e) when (e is HttpRequestException or InvalidOperationException or OperationCanceledException or TimeoutException)
            {
                // The API is away.
            }
            await Task.Delay(1000, CancellationToken.None);
        }
    }

    /// <summary>A command that was sent now has ended.</summary>
    public async Task ProbeAsync(string pool)
    {
        var id = await SendAsync(HttpMethod.Post, $"/v1/pools/{pool}/refresh", null, Guid.NewGuid())
            ?? throw new InvalidOperationException("The probe was refused.");
        await fleet.Client.EndOfAsync(id, Patience);
    }

    private async Task StepAsync(Random random)
    {
        var pool = pools[random.Next(pools.Count)];
        var volumes = $"/v1/pools/{pool.Name}/volumes";
        var name = $"v{random.Next(NamesPerPool)}";
        var key = NewGuid(random);
        switch (random.Next(pool.Rough ? 100 : 88))
        {
            case < 26:
                await SendAsync(HttpMethod.Post, volumes, Raw(random, name), key);
                break;
            case < 34:
                await SendAsync(HttpMethod.Post, volumes, new { name, capacity = 1 << 20, format = random.Next(3) == 0 ? "qcow2" : "qed" }, key);
                break;
            case < 40:
                var first = random.Next(NamesPerPool);
                var many = Enumerable.Range(first, 10).Select(i => Raw(random, $"v{i % NamesPerPool}")).ToList();
                await SendAsync(HttpMethod.Post, volumes, many, key);
                break;
            case < 64:
                await SendAsync(HttpMethod.Delete, $"{volumes}/{name}", null, key);
                break;
            case < 68:
                await SendAsync(HttpMethod.Post, $"{volumes}/{name}/refresh", null, key);
                break;
            case < 74:
                await TwiceAsync(volumes, Raw(random, name), key);
                break;
            case < 78:
                await Task.WhenAll(
                    SendAsync(HttpMethod.Post, volumes, Raw(random, name), key),
                    SendAsync(HttpMethod.Delete, $"{volumes}/{name}", null, NewGuid(random)));
                break;
            case < 82:
                if (recent.TryDequeue(out var some))
                    await SendAsync(HttpMethod.Post, $"/v1/operations/{some}/cancel", null, key);
                break;
            case < 88:
                await PublishAsync(pool.Name, name, key, times: 1 + random.Next(3));
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
        await SendAsync(HttpMethod.Post, "/v1/pools", new { type = "dir", name, target = new { path = fleet.PoolPath(name) } }, NewGuid(random));
        foreach (var step in new[] { "build", "start" })
            await SendAsync(HttpMethod.Post, $"{at}/{step}", null, NewGuid(random));
        await SendAsync(HttpMethod.Post, $"{at}/volumes", Raw(random, "only"), NewGuid(random));
        await SendAsync(HttpMethod.Delete, $"{at}/volumes/only", null, NewGuid(random));
        foreach (var step in new[] { "stop", "delete" })
            await SendAsync(HttpMethod.Post, $"{at}/{step}", null, NewGuid(random));
        await SendAsync(HttpMethod.Delete, at, null, NewGuid(random));
    }

    /// <summary>The same again is the same operation; another command under its key is refused.</summary>
    private async Task TwiceAsync(string path, object body, Guid key)
    {
        var ids = await Task.WhenAll(SendAsync(HttpMethod.Post, path, body, key), SendAsync(HttpMethod.Post, path, body, key));
        // One of the two may have been refused, or got no answer in time, before the other was accepted.
        if ((ids[0] ?? ids[1]) is not { } id)
            return;
        if (await AnswerAsync(HttpMethod.Post, path, body, key) is not { } again)
            return;
        if (ids.Any(one => one is not null && one != id) || !again.Succeeded || again.Body.GetProperty("id").GetGuid() != id)
            violations.Enqueue($"The key {key} gave the operations {ids[0]} and {ids[1]}, and then {(int)again.Status} {again.Text}");
        var other = await AnswerAsync(HttpMethod.Post, path, new { name = "other", capacity = 4096 }, key);
        if (other is not null && Code(other) != ErrorCodes.IdempotencyMismatch)
            violations.Enqueue($"Another command under the key {key} was answered {(int)other.Status} {other.Text}");
    }

    /// <returns>The operation; null where the command was refused.</returns>
    private async Task<Guid?> SendAsync(HttpMethod method, string path, object? body, Guid key)
    {
        Interlocked.Increment(ref sent);
        if (await AnswerAsync(method, path, body, key) is not { } answer)
            return null;
        if (!answer.Succeeded)
        {
            Interlocked.Increment(ref refused);
            return null;
        }
        var id = answer.Body.GetProperty("id").GetGuid();
        accepted[id] = $"{method} {path}";
        recent.Enqueue(id);
        return id;
    }

    private async Task<Answer?> AnswerAsync(HttpMethod method, string path, object? body, Guid key)
    {
        var cancellation = TestContext.Current.CancellationToken;
        for (var started = DateTime.UtcNow; DateTime.UtcNow - started < Patience;)
        {
            try
            {
                var answer = await fleet.Client.SendAsync(method, path, body, key: key.ToString());
                if (answer.Status == HttpStatusCode.InternalServerError)
                    violations.Enqueue($"{method} {path} was answered {answer.Text}");
                if ((int)answer.Status < 500)
                    return answer;
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException or IOException && !cancellation.IsCancellationRequested)
            {
                // The service is away: it will be back.
            }
            await Task.Delay(100, cancellation);
        }
        violations.Enqueue($"{method} {path} with the key {key} was not answered within {Patience.TotalSeconds:0} s.");
        return null;
    }

    private async Task PublishAsync(string pool, string name, Guid id, int times)
    {
        Interlocked.Increment(ref sent);
        var body = JsonSerializer.SerializeToUtf8Bytes(new { commandId = id, pool, volume = new { name, capacity = 4096, allocation = 0 } });
        try
        {
            await using var connection = await fleet.ConnectAsync();
            await using var channel = await connection.CreateChannelAsync();
            for (var i = 0; i < times; i++)
            {
                var properties = new BasicProperties { Type = nameof(CreateVolume), ContentType = "application/json", Persistent = true };
                await channel.BasicPublishAsync("", Queues.JsonCommands, mandatory: false, properties, body);
            }
        }
        catch (Exception) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            // Without a confirm nothing is promised.
        }
    }

    private static object Raw(Random random, string name) =>
        new { name, capacity = 65536, allocation = random.Next(2) * 65536 };

    private static string? Code(Answer answer) => answer.Succeeded ? null : answer.Body.GetProperty("code").GetString();

    private static Guid NewGuid(Random random)
    {
        Span<byte> bytes = stackalloc byte[16];
        random.NextBytes(bytes);
        return new Guid(bytes);
    }
}
