using System.Diagnostics;
using System.Net.ServerSentEvents;
using System.Text.Json;
using Storage.Benchmarks.Services;
using Storage.Contracts;

namespace Storage.Benchmarks.Libvirt;

/// <summary>Of volumes that were asked for by a schedule.</summary>
/// <param name="Lags">From the time at which a volume was made on its host until the event of it was read.</param>
/// <param name="Ends">From the time at which a command was due until the event of it was read.</param>
internal sealed record CreatedOnSchedule(IReadOnlyCollection<TimeSpan> Lags, IReadOnlyCollection<TimeSpan> Ends);

/// <summary>
/// Sends each command when its time has come, whether those before it have ended or not: what makes Storage wait makes no request come later.
/// Meanwhile a client follows the stream of events.
/// </summary>
internal static class ScheduledCommands
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <param name="send">Sends the command that makes the volume of this number.</param>
    public static async Task<CreatedOnSchedule> RunAsync(RunningStorage storage, int perSecond, IReadOnlyList<string> volumes, Func<int, Task> send)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(volumes.Count / perSecond) + Patience);
        // From here on every event is read.
        using var response = await OpenAsync(storage, limit.Token);
        var began = Stopwatch.GetTimestamp();
        var heard = Task.Run(() => ListenAsync(response, volumes, limit.Token));
        var sent = new List<Task>(volumes.Count);
        for (var i = 0; i < volumes.Count; i++)
        {
            if (Due(i) - Stopwatch.GetElapsedTime(began) is { Ticks: > 0 } early)
                await Task.Delay(early);
            sent.Add(send(i));
        }
        await Task.WhenAll(sent);
        var told = await heard;
        return new CreatedOnSchedule(
            [.. told.Select(volume => volume.Lag)],
            [.. told.Select(volume => Stopwatch.GetElapsedTime(began, volume.ReadAt) - Due(volume.Number))]);

        TimeSpan Due(int number) => TimeSpan.FromSeconds((double)number / perSecond);
    }

    private static async Task<HttpResponseMessage> OpenAsync(RunningStorage storage, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/events");
        request.Headers.Add("Accept", "text/event-stream");
        var response = await storage.Fleet.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        return response.EnsureSuccessStatusCode();
    }

    private static async Task<List<(int Number, long ReadAt, TimeSpan Lag)>> ListenAsync(
        HttpResponseMessage response, IReadOnlyList<string> volumes, CancellationToken cancellationToken)
    {
        var numbers = volumes.Index().ToDictionary(volume => volume.Item, volume => volume.Index, StringComparer.Ordinal);
        var told = new List<(int, long, TimeSpan)>(volumes.Count);
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        var parser = SseParser.Create(stream, (type, data) =>
            (ReadAt: Stopwatch.GetTimestamp(), Now: DateTimeOffset.UtcNow,
                Event: type == nameof(VolumeCreated) ? JsonSerializer.Deserialize<StorageEvent>(data, StorageJson.Options) : null));
        await foreach (var item in parser.EnumerateAsync(cancellationToken))
        {
            if (item.Data.Event is not { } created || !numbers.TryGetValue(Resources.VolumeOf(created.Resource)!, out var number))
                continue;
            told.Add((number, item.Data.ReadAt, item.Data.Now - created.OccurredAt));
            if (told.Count == volumes.Count)
                return told;
        }
        throw new InvalidOperationException($"The stream of events ended after {told.Count} of {volumes.Count}.");
    }
}
