using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Storage.Contracts;
using Xunit;

namespace Storage.IntegrationTests;

/// <summary>The API as its users see it: paths, JSON or XML, and headers. Knows nothing of the services' code.</summary>
public sealed class StorageClient(HttpClient http)
{
    private static readonly TimeSpan CommandLimit = TimeSpan.FromSeconds(60);
    private static readonly HashSet<string> Ends = ["succeeded", "failed", "cancelled", "expired"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>A body of libvirt XML.</summary>
    public static HttpContent Xml(string document) => new StringContent(document, Encoding.UTF8, "application/xml");

    /// <summary>One request.</summary>
    /// <param name="body">Something to be written as JSON, or an <see cref="HttpContent"/> that is sent as it is.</param>
    /// <param name="wait">How long the answer may be held back for the operation's end (<c>Prefer: wait</c>).</param>
    /// <param name="key">The <c>Idempotency-Key</c>.</param>
    public async Task<Answer> SendAsync(
        HttpMethod method, string path, object? body = null, TimeSpan? wait = null, string? key = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path)
        {
            Content = body as HttpContent ?? (body is null ? null : JsonContent.Create(body, body.GetType(), options: StorageJson.Options)),
        };
        if (wait is { } limit)
            request.Headers.Add("Prefer", string.Create(CultureInfo.InvariantCulture, $"wait={limit.TotalSeconds:0}"));
        if (key is not null)
            request.Headers.Add("Idempotency-Key", key);
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        try
        {
            using var response = await http.SendAsync(request, Cancellation);
            return await Answer.ReadAsync(response, Cancellation);
        }
        catch (SocketException e)
        {
            // A connection that is reset right after it is made comes as it is from HttpClient, unlike all others.
            throw new HttpRequestException(e.Message, e);
        }
    }

    public Task<Answer> GetAsync(string path, params (string Name, string Value)[] headers) => SendAsync(HttpMethod.Get, path, headers: headers);

    /// <summary>The JSON of a resource that must be there.</summary>
    public async Task<JsonElement> ReadAsync(string path) => (await GetAsync(path)).OrThrow().Body;

    /// <summary>A command that must succeed: sends it, waits for its end and gives the ended operation.</summary>
    public async Task<JsonElement> RunAsync(HttpMethod method, string path, object? body = null)
    {
        var answer = (await SendAsync(method, path, body, wait: CommandLimit)).OrThrow();
        var operation = answer.Status == HttpStatusCode.Accepted ? await EndOfAsync(Id(answer)) : answer.Body;
        return State(operation) == "succeeded" ? operation : throw new InvalidOperationException($"{method} {path} did not succeed: {operation}");
    }

    public Task<JsonElement> PostAsync(string path, object? body = null) => RunAsync(HttpMethod.Post, path, body);

    public Task<JsonElement> PutAsync(string path, object? body = null) => RunAsync(HttpMethod.Put, path, body);

    public Task<JsonElement> DeleteAsync(string path) => RunAsync(HttpMethod.Delete, path);

    /// <summary>Sends a command without waiting for its end, and gives its operation's id.</summary>
    public async Task<Guid> SubmitAsync(HttpMethod method, string path, object? body = null, string? key = null) =>
        Id((await SendAsync(method, path, body, key: key)).OrThrow());

    /// <summary>The operation when it has ended, however it did. The API may be away meanwhile.</summary>
    public async Task<JsonElement> EndOfAsync(Guid operation, TimeSpan? within = null)
    {
        var answer = await Eventually.GetAsync(
            $"the end of operation {operation}",
            async _ => await GetAsync($"/v1/operations/{operation}") is { Succeeded: true } answer && Ends.Contains(State(answer.Body)) ? answer : null,
            within);
        return answer.Body;
    }

    /// <summary>The types of the events that ended an operation: one.</summary>
    public async Task<IReadOnlyList<string>> EndsOfAsync(Guid operation) =>
    [
        .. (await ReadEventsAsync()).Where(entry => entry.CommandId == operation
            && entry.Type is (nameof(OperationSucceeded) or nameof(OperationFailed) or nameof(OperationCancelled) or nameof(OperationExpired)))
            .Select(entry => entry.Type),
    ];

    /// <summary>All items of a list, page by page.</summary>
    /// <param name="limit">Items per page; the API's default when absent.</param>
    public async Task<IReadOnlyList<JsonElement>> ReadAllAsync(string path, int? limit = null)
    {
        var items = new List<JsonElement>();
        var separator = path.Contains('?', StringComparison.Ordinal) ? '&' : '?';
        var first = limit is null ? path : $"{path}{separator}limit={limit}";
        separator = first.Contains('?', StringComparison.Ordinal) ? '&' : '?';
        string? cursor = null;
        do
        {
            var page = await ReadAsync(cursor is null ? first : $"{first}{separator}cursor={Uri.EscapeDataString(cursor)}");
            items.AddRange(page.GetProperty("items").EnumerateArray());
            cursor = page.TryGetProperty("next", out var next) ? next.GetString() : null;
        }
        while (cursor is not null);
        return items;
    }

    /// <summary>The event log after a sequence, as far as it is written.</summary>
    public async Task<IReadOnlyList<StorageEvent>> ReadEventsAsync(long after = 0)
    {
        var events = new List<StorageEvent>();
        while (true)
        {
            var page = await ReadAsync($"/v1/events?after={after}&limit=1000");
            var read = page.GetProperty("items").Deserialize<List<StorageEvent>>(StorageJson.Options)!;
            if (read.Count == 0)
                return events;
            events.AddRange(read);
            after = read[^1].Sequence!.Value;
        }
    }

    /// <summary>The event stream: from after a sequence, or from now on. Ends with the connection or the token.</summary>
    public async IAsyncEnumerable<StorageEvent> StreamEventsAsync(
        long? after = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/events");
        request.Headers.Add("Accept", "text/event-stream");
        if (after is not null)
            request.Headers.Add("Last-Event-ID", after.Value.ToString(CultureInfo.InvariantCulture));
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        response.EnsureSuccessStatusCode();
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        var parser = SseParser.Create(stream, (_, data) => JsonSerializer.Deserialize<StorageEvent>(data, StorageJson.Options)!);
        await foreach (var item in parser.EnumerateAsync(cancellationToken))
            yield return item.Data;
    }

    private static Guid Id(Answer answer) => answer.Body.GetProperty("id").GetGuid();

    private static string State(JsonElement operation) => operation.GetProperty("state").GetString()!;
}
