using System.Diagnostics;
using System.Text.Json;
using Storage.Benchmarks.Services;

namespace Storage.Benchmarks.Inventory;

/// <summary>How long lists and volumes of a large inventory take to read, one request after the other.</summary>
internal sealed class PageTimes(RunningStorage storage, IReadOnlyList<string> pools)
{
    private const int Requests = 300;
    private const int Limit = 100;

    private readonly Random random = new(1);

    public async Task<IReadOnlyList<Figure>> MeasureAsync()
    {
        var deep = new List<string>();
        for (var i = 0; i < 20; i++)
            deep.Add(await LastAsync($"/v1/pools/{Any(pools)}/volumes?limit={Limit}"));
        var lastPools = await LastAsync($"/v1/pools?limit={Limit}");
        return
        [
            await TimeAsync($"list volumes of a pool, first {Limit}", () => $"/v1/pools/{Any(pools)}/volumes?limit={Limit}"),
            await TimeAsync($"list volumes of a pool, last {Limit}", () => Any(deep)),
            await TimeAsync("list all volumes of a pool in one page", () => $"/v1/pools/{Any(pools)}/volumes?limit=1000"),
            await TimeAsync($"list pools, first {Limit}", () => $"/v1/pools?limit={Limit}"),
            await TimeAsync($"list pools, last {Limit}", () => lastPools),
            await TimeAsync("read a volume", () => $"/v1/pools/{Any(pools)}/volumes/{ListedFiles.Name(random.Next(Limit))}"),
        ];
    }

    private string Any(IReadOnlyList<string> from) => from[random.Next(from.Count)];

    /// <summary>The address of the last page of a list.</summary>
    private async Task<string> LastAsync(string first)
    {
        for (var page = first; ;)
        {
            using var answer = JsonDocument.Parse(await storage.Fleet.Http.GetByteArrayAsync(page));
            if (!answer.RootElement.TryGetProperty("next", out var next) || next.GetString() is not { } cursor)
                return page;
            page = $"{first}&cursor={Uri.EscapeDataString(cursor)}";
        }
    }

    private async Task<Figure> TimeAsync(string what, Func<string> address)
    {
        var took = new List<TimeSpan>();
        // A tenth is for code that is loaded and connections that are opened.
        for (var i = -Requests / 10; i < Requests; i++)
        {
            var path = address();
            var began = Stopwatch.GetTimestamp();
            await storage.Fleet.Http.GetByteArrayAsync(path);
            if (i >= 0)
                took.Add(Stopwatch.GetElapsedTime(began));
        }
        return new(what, Percentiles.Of(took));
    }
}
