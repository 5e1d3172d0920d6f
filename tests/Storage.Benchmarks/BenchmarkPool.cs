using System.Net.Http.Json;
using System.Text.Json;

namespace Storage.Benchmarks;

/// <summary>A directory pool made for the run.</summary>
internal sealed class BenchmarkPool(HttpClient http, string name)
{
    private int next;

    public static async Task<BenchmarkPool> CreateAsync(HttpClient http, Arguments options)
    {
        var pool = new BenchmarkPool(http, $"benchmark-{Environment.ProcessId}");
        var host = options.Host is null ? "" : $"?host={Uri.EscapeDataString(options.Host)}";
        await pool.RunAsync(HttpMethod.Post, $"/v1/pools{host}", new { type = "dir", name = pool.Name, target = new { path = options.Path } });
        await pool.RunAsync(HttpMethod.Post, $"/v1/pools/{pool.Name}/build");
        await pool.RunAsync(HttpMethod.Post, $"/v1/pools/{pool.Name}/start");
        return pool;
    }

    public string Name => name;

    public object NextVolume() => new { name = $"volume-{Interlocked.Increment(ref next):0000000}", capacity = 1 << 20, allocation = 0 };

    /// <summary>Sends a command and waits for its end.</summary>
    public async Task RunAsync(HttpMethod method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body, body.GetType()) };
        request.Headers.Add("Prefer", "wait=120");
        using var response = await http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        if (!response.IsSuccessStatusCode || JsonDocument.Parse(text).RootElement.GetProperty("state").GetString() != "succeeded")
            throw new InvalidOperationException($"{method} {path}: {(int)response.StatusCode} {text}");
    }

    /// <summary>Everything that the run made goes again.</summary>
    public async Task RemoveAsync()
    {
        while (true)
        {
            var page = await http.GetFromJsonAsync<JsonElement>($"/v1/pools/{name}/volumes?limit=1000");
            var volumes = page.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("name").GetString()!).ToList();
            if (volumes.Count == 0)
                break;
            await Parallel.ForEachAsync(volumes, new ParallelOptions { MaxDegreeOfParallelism = 64 },
                async (volume, _) => await RunAsync(HttpMethod.Delete, $"/v1/pools/{name}/volumes/{volume}"));
        }
        await RunAsync(HttpMethod.Post, $"/v1/pools/{name}/stop");
        await RunAsync(HttpMethod.Post, $"/v1/pools/{name}/delete");
        await RunAsync(HttpMethod.Delete, $"/v1/pools/{name}");
    }
}
