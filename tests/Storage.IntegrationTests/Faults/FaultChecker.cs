using System.Text.Json;
using Storage.Contracts;

namespace Storage.IntegrationTests;

/// <summary>What must hold when all is quiet again: over the event log, the inventory, the host, and all that was written or sent.</summary>
public sealed class FaultChecker(FaultScene scene)
{
    private const int MostViolations = 50;

    private readonly StorageClient client = scene.Fleet.Client;
    private readonly List<string> violations = [];

    /// <summary>What does not hold, as far as was looked.</summary>
    public IReadOnlyList<string> Violations => violations;

    public async Task CheckAsync()
    {
        // The services go on looking at their pools by themselves: what they have begun since it was quiet ends too.
        var begun = await OperationsAsync();
        foreach (var operation in begun.Values.Where(operation => !operation.Ended))
            await client.EndOfAsync(operation.Id);
        var over = begun.Keys.ToList();
        await CheckLogAsync(over);
        foreach (var pool in scene.Pools.Where(pool => !pool.Rough))
            Report(await new HostRules(client, pool).VolumesAsync("without a refresh"));
        foreach (var pool in scene.Pools)
        {
            await StartAsync(pool);
            var host = new HostRules(client, pool);
            Report(await host.RoomAsync());
            Report(await host.VolumesAsync("after a refresh"));
        }
        // What the refreshes have found is judged as well.
        await CheckVolumesAsync();
        await CheckRebuildAsync();
        await CheckSecretsAsync();
    }

    private async Task CheckLogAsync(IReadOnlyList<Guid> over)
    {
        var letters = (await client.ReadAllAsync("/v1/dead-letters", 1000))
            .Select(letter => letter.TryGetProperty("messageId", out var id) ? id.GetString() : null).OfType<string>().ToHashSet();
        var rules = new EventLogRules(await client.ReadEventsAsync(), await OperationsAsync());
        Report(rules.Order());
        Report(rules.Ends(scene.Client.Accepted, over));
        Report(rules.Published(scene.Client.Published, letters));
        Report(rules.Turns());
    }

    private async Task CheckVolumesAsync()
    {
        var quiet = new HashSet<Guid>();
        foreach (var pool in scene.Pools.Where(pool => !pool.Rough))
            quiet.Add((await client.ReadAsync($"/v1/pools/{pool.Name}")).GetProperty("id").GetGuid());
        var rules = new EventLogRules(await client.ReadEventsAsync(), await OperationsAsync());
        Report(rules.Volumes());
        Report(rules.Quiet(quiet, scene.Client.Accepted));
    }

    private async Task<IReadOnlyDictionary<Guid, OperationSeen>> OperationsAsync() =>
        (await client.ReadAllAsync("/v1/operations", 1000)).Select(operation => operation.Deserialize<OperationSeen>(StorageJson.Options)!)
        .ToDictionary(operation => operation.Id);

    private async Task CheckRebuildAsync()
    {
        var (before, after) = (new List<string>(), new List<string>());
        for (var (log, then) = (-1L, 0L); log != then;)
        {
            // What comes in between, such as a refresh by the service itself, would be a difference.
            log = await LastEventAsync();
            before = await SnapshotAsync();
            await scene.Fleet.Inventory.RunAsync("rebuild");
            after = await SnapshotAsync();
            then = await LastEventAsync();
        }
        if (!before.SequenceEqual(after))
            Report([$"The inventory that is rebuilt from the log is another one:\n{string.Join('\n', before.Except(after).Take(3))}\nbecame\n{string.Join('\n', after.Except(before).Take(3))}"]);
    }

    private async Task<long> LastEventAsync() => (await client.ReadEventsAsync())[^1].Sequence!.Value;

    private async Task CheckSecretsAsync()
    {
        var search = new SecretSearch(scene.Secrets);
        Report(search.InFiles(scene.Fleet.Folder, "*.log"));
        Report(search.InFiles(Path.Combine(scene.Fleet.Folder, "state"), "journal.db*"));
        Report(search.In("the events", JsonSerializer.Serialize(await client.ReadEventsAsync())));
        foreach (var letter in await client.ReadAllAsync("/v1/dead-letters", 1000))
            Report(search.In("a dead letter", (await client.GetAsync($"/v1/dead-letters/{letter.GetProperty("id")}")).Text));
        foreach (var message in await scene.Around.Messages.ReadAsync())
            Report(search.In("a message", message));
    }

    private async Task StartAsync(FaultPool pool)
    {
        if ((await client.ReadAsync($"/v1/pools/{pool.Name}")).GetProperty("state").GetString() == "inactive")
            await client.PostAsync($"/v1/pools/{pool.Name}/start");
    }

    private async Task<List<string>> SnapshotAsync()
    {
        var lines = new List<string>();
        foreach (var pool in await client.ReadAllAsync("/v1/pools", 1000))
        {
            lines.Add(pool.ToString());
            lines.AddRange((await client.ReadAllAsync($"/v1/pools/{pool.GetProperty("id")}/volumes", 1000)).Select(volume => volume.ToString()));
        }
        return lines;
    }

    private void Report(IEnumerable<string> found) => violations.AddRange(found.Take(MostViolations - violations.Count));
}
