using System.Globalization;
using Storage.Contracts;
using Xunit;

namespace Storage.IntegrationTests;

/// <summary>A refresh of a directory with very many files: all of them are taken in, in bounded memory, and nobody else waits for it.</summary>
[Trait(Servers.Trait, Servers.Any)]
public sealed class LargeRefreshTests(TestBackends backends)
{
    private const int Files = 50_000;
    private const long MostMemory = 300_000_000;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Fifty_thousand_files_are_taken_in_while_another_pool_of_the_host_is_used()
    {
        // No refresh but the one that is asked for: the watch, which has more to tell than names, would get one as well.
        await using var fleet = await Fleet.StartAsync(
            backends, new FleetLayout { Environment = new Dictionary<string, string> { ["Inventory__SweepInterval"] = "01:00:00" } });
        var (client, storage) = (fleet.Client, new StorageUnderTest(fleet.Client, fleet.PoolPath));
        var path = await storage.RunningPoolAsync("large");
        await storage.RunningPoolAsync("other");
        await Task.Run(() => Fill(path), Cancellation);

        var refresh = await client.SubmitAsync(HttpMethod.Post, "/v1/pools/large/refresh");
        var begun = await FirstAsync(client, entry => entry.CommandId == refresh && entry.Type == nameof(VolumeAppeared));
        var meanwhile = new List<Guid>();
        for (var i = 0; i < 5; i++)
        {
            meanwhile.Add(Id(await client.PostAsync("/v1/pools/other/volumes", new { name = $"v{i}", capacity = 65536 })));
            meanwhile.Add(Id(await client.PostAsync($"/v1/pools/other/volumes/v{i}/resize", new { capacity = 131072 })));
            meanwhile.Add(Id(await client.DeleteAsync($"/v1/pools/other/volumes/v{i}")));
        }
        Assert.Equal("succeeded", (await client.EndOfAsync(refresh, Patience)).GetProperty("state").GetString());

        var ends = (await client.ReadEventsAsync(begun.Sequence!.Value)).Where(entry => entry.Type == nameof(OperationSucceeded))
            .Select(entry => entry.CommandId!.Value).ToList();
        Assert.Equal([.. meanwhile, refresh], ends.Where(id => id == refresh || meanwhile.Contains(id)));
        Assert.Equal(Enumerable.Range(0, Files).Select(Name), await storage.VolumesAsync("large"));
        var peak = PeakMemory(fleet.Workers[0].Id);
        TestContext.Current.TestOutputHelper?.WriteLine($"The worker took at most {peak / 1_000_000} MB.");
        Assert.InRange(peak, 1, MostMemory);
    }

    private static string Name(int number) => string.Create(CultureInfo.InvariantCulture, $"volume-{number:00000}");

    private static Guid Id(System.Text.Json.JsonElement operation) => operation.GetProperty("id").GetGuid();

    private static void Fill(string path)
    {
        for (var i = 0; i < Files; i++)
        {
            using var file = File.OpenHandle(Path.Combine(path, Name(i)), FileMode.CreateNew, FileAccess.Write);
            RandomAccess.SetLength(file, 1 << 20);
        }
    }

    private static async Task<StorageEvent> FirstAsync(StorageClient client, Func<StorageEvent, bool> wanted)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(Patience);
        await foreach (var entry in client.StreamEventsAsync(0, limit.Token))
            if (wanted(entry))
                return entry;
        throw new InvalidOperationException("The stream ended.");
    }

    /// <summary>The most memory that a process has had so far, in bytes.</summary>
    private static long PeakMemory(int process)
    {
        var line = File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) * 1024;
    }
}
