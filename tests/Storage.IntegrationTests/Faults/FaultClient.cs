using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using RabbitMQ.Client;
using Storage.Contracts;
using Xunit;

namespace Storage.IntegrationTests;

/// <summary>
/// Sends commands by HTTP and AMQP while services come and go, and keeps what was promised. One that gets no answer is sent again with
/// the same key until it has one.
/// </summary>
public sealed class FaultClient(Fleet fleet)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private readonly ConcurrentQueue<string> violations = new();
    private readonly ConcurrentDictionary<Guid, Promise> accepted = new();
    private readonly ConcurrentDictionary<Guid, bool> published = new();
    private int refused;
    private int sent;

    /// <summary>The operations that were accepted.</summary>
    public IReadOnlyDictionary<Guid, Promise> Accepted => accepted;

    /// <summary>The commands that the broker has taken over for good: operations, or dead letters.</summary>
    public IReadOnlyCollection<Guid> Published => [.. published.Keys];

    /// <summary>Answers that must not be.</summary>
    public IReadOnlyCollection<string> Violations => violations;

    public int Sent => sent;

    public int Refused => refused;

    /// <param name="expiresIn">Seconds to the operation's deadline.</param>
    /// <returns>The operation; null where the command was refused.</returns>
    public async Task<Guid?> SendAsync(HttpMethod method, string path, object? body, Guid key, int? expiresIn = null)
    {
        Interlocked.Increment(ref sent);
        if (await AnswerAsync(method, path, body, key, expiresIn) is not { } answer)
            return null;
        if (!answer.Succeeded)
        {
            Interlocked.Increment(ref refused);
            return null;
        }
        var id = answer.Body.GetProperty("id").GetGuid();
        accepted[id] = new Promise($"{method} {path}", body is System.Collections.ICollection many ? many.Count : 1);
        return id;
    }

    /// <summary>A command that was sent now has ended.</summary>
    public async Task ProbeAsync(FaultPool pool)
    {
        var id = await SendAsync(HttpMethod.Post, $"/v1/pools/{pool.Name}/refresh", null, Guid.NewGuid())
            ?? throw new InvalidOperationException("The probe was refused.");
        await fleet.Client.EndOfAsync(id, Patience);
    }

    /// <summary>The same again is the same operation; another command under its key is refused.</summary>
    public async Task TwiceAsync(string path, object body, Guid key)
    {
        var ids = await Task.WhenAll(SendAsync(HttpMethod.Post, path, body, key), SendAsync(HttpMethod.Post, path, body, key));
        // One of the two may have been refused, or got no answer in time, before the other was accepted.
        if ((ids[0] ?? ids[1]) is not { } id || await AnswerAsync(HttpMethod.Post, path, body, key) is not { } again)
            return;
        if (ids.Any(one => one is not null && one != id) || !again.Succeeded || again.Body.GetProperty("id").GetGuid() != id)
            violations.Enqueue($"The key {key} gave the operations {ids[0]} and {ids[1]}, and then {(int)again.Status} {again.Text}");
        var other = await AnswerAsync(HttpMethod.Post, path, new { name = "other", capacity = 4096 }, key);
        if (other is not null && Code(other) != ErrorCodes.IdempotencyMismatch)
            violations.Enqueue($"Another command under the key {key} was answered {(int)other.Status} {other.Text}");
    }

    /// <summary>Publishes the command so many times. What the broker has not confirmed may be lost.</summary>
    public async Task PublishAsync(string pool, string name, Guid id, int times)
    {
        Interlocked.Increment(ref sent);
        var body = JsonSerializer.SerializeToUtf8Bytes(new { commandId = id, pool, volume = new { name, capacity = 4096, allocation = 0 } });
        var properties = new BasicProperties { Type = nameof(CreateVolume), MessageId = id.ToString(), ContentType = "application/json", Persistent = true };
        var confirms = new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true);
        try
        {
            await using var connection = await fleet.ConnectAsync();
            await using var channel = await connection.CreateChannelAsync(confirms);
            for (var i = 0; i < times; i++)
            {
                await channel.BasicPublishAsync("", Queues.JsonCommands, mandatory: true, properties, body, TestContext.Current.CancellationToken);
                published[id] = true;
            }
        }
        catch (Exception) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            // Without a confirm nothing is promised.
        }
    }

    private async Task<Answer?> AnswerAsync(HttpMethod method, string path, object? body, Guid key, int? expiresIn = null)
    {
        var cancellation = TestContext.Current.CancellationToken;
        (string, string)[] headers = expiresIn is { } seconds ? [("Expires-In", seconds.ToString(System.Globalization.CultureInfo.InvariantCulture))] : [];
        for (var started = DateTime.UtcNow; DateTime.UtcNow - started < Patience;)
        {
            try
            {
                var answer = await fleet.Client.SendAsync(method, path, body, key: key.ToString(), headers: headers);
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

    private static string? Code(Answer answer) => answer.Succeeded ? null : answer.Body.GetProperty("code").GetString();
}

/// <summary>An operation that a client was promised.</summary>
/// <param name="What">The request.</param>
/// <param name="Volumes">How many volumes it is about.</param>
public sealed record Promise(string What, int Volumes);
