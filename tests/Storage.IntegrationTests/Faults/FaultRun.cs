using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;

namespace Storage.IntegrationTests;

/// <summary>One run: a fleet of its own, work and faults, quiet, and what the checker finds then.</summary>
/// <param name="name">Tells it from other runs.</param>
public sealed class FaultRun(TestBackends backends, string name)
{
    /// <summary>The secret that volumes of a run are encrypted with.</summary>
    public const string SecretUsage = "disk";

    /// <summary>For how long at least nothing ends where something is stuck.</summary>
    public TimeSpan Quiet { get; init; } = TimeSpan.FromSeconds(180);

    /// <summary>More configuration, for all services.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <param name="act">Sends commands and injects faults, and makes them good.</param>
    public async Task<FaultReport> RunAsync(Func<FaultScene, Task> act)
    {
        var toolFolder = Directory.CreateTempSubdirectory("storage-tool-").FullName;
        var tool = new UnreliableTool(toolFolder);
        var path = $"{tool.Folder}:{System.Environment.GetEnvironmentVariable("PATH")}";
        try
        {
            var clocks = ServiceClocks.TryCreate(Path.Combine(toolFolder, "clocks"));
            var (passphrase, key) = ($"correct horse {Guid.NewGuid():N}", Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)));
            await using var fleet = await Fleet.StartAsync(backends, new FleetLayout
            {
                Environment = new Dictionary<string, string>(Environment)
                {
                    ["PATH"] = path,
                    ["Logging__LogLevel__Default"] = "Information",
                    ["Bus__DeafAfter"] = "00:00:20",
                },
                EnvironmentOf = service => new Dictionary<string, string>(clocks?.Environment(service) ?? new Dictionary<string, string>())
                {
                    ["Secrets__Key"] = service == "api" ? key : "",
                },
                // As the compose file and any service manager do: see BusWatch.
                RestartOn = 75,
            });
            await using var disk = await SmallDisk.TryMountAsync(fleet.PoolPath("small-disk"));
            List<FaultPool> pools =
            [
                new("quiet-a", fleet.PoolPath("quiet-a"), Rough: false),
                new("quiet-b", fleet.PoolPath("quiet-b"), Rough: false),
                new("rough-a", fleet.PoolPath("rough-a"), Rough: true),
            ];
            if (disk is not null)
                pools.Add(new FaultPool("small", Path.Combine(disk.Path, "pool"), Rough: true));
            var probe = new FaultPool("probe", fleet.PoolPath("probe"), Rough: false);
            // Kept from before the first command on, so that none with a secret is missed.
            var around = new Surroundings(disk, tool, clocks, await OldMessages.KeepAsync(fleet));
            (await fleet.Client.SendAsync(HttpMethod.Post, "/v1/secrets", new { usage = SecretUsage, value = Encoding.UTF8.GetBytes(passphrase) })).OrThrow();
            foreach (var pool in pools.Append(probe))
                await DefineAsync(fleet, pool);
            try
            {
                return await RunAsync(act, new FaultScene(
                    fleet, backends, new FaultClient(fleet), pools, probe, around, [.. fleet.Secrets, passphrase, key]));
            }
            catch (Exception e)
            {
                // Said now: what is taken down after it may fail as well, and would be all that is told.
                File.WriteAllText(Path.Combine(Keep(fleet), "error.txt"), e.ToString());
                throw;
            }
        }
        finally
        {
            Directory.Delete(toolFolder, recursive: true);
        }
    }

    private async Task<FaultReport> RunAsync(Func<FaultScene, Task> act, FaultScene scene)
    {
        var watch = Stopwatch.StartNew();
        await act(scene);
        var violations = new List<string>(scene.Client.Violations);
        if (await StuckAsync(scene.Fleet) is { } stuck)
            violations.Add(stuck);
        else
            violations.AddRange(await CheckAsync(scene));
        var operations = (await scene.Fleet.Client.ReadAllAsync("/v1/operations", 1000))
            .GroupBy(operation => operation.GetProperty("state").GetString()!).ToDictionary(state => state.Key, state => state.Count());
        if (violations.Count > 0)
            Keep(scene.Fleet);
        return new FaultReport(
            name, watch.Elapsed, scene.Client.Sent, scene.Client.Refused, operations, scene.Tally.Kills, scene.Tally.Injected, [.. scene.Tally.Recoveries], violations)
        {
            Events = (await scene.Fleet.Client.ReadEventsAsync()).Count,
            Restarts = ServiceProcess.All.Sum(service => service.Restarts),
        };
    }

    /// <summary>A check that cannot come to its end is a violation too; what it found before then is not lost.</summary>
    private static async Task<IReadOnlyList<string>> CheckAsync(FaultScene scene)
    {
        var checker = new FaultChecker(scene);
        try
        {
            await checker.CheckAsync();
            return checker.Violations;
        }
        catch (Exception e) when (e is InvalidOperationException or TimeoutException or HttpRequestException or IOException)
        {
            return [.. checker.Violations, $"The check came to no end: {e}"];
        }
    }

    private static async Task DefineAsync(Fleet fleet, FaultPool pool)
    {
        await fleet.Client.PostAsync("/v1/pools", new { type = "dir", name = pool.Name, target = new { path = pool.Path } });
        await fleet.Client.PostAsync($"/v1/pools/{pool.Name}/build");
        await fleet.Client.PostAsync($"/v1/pools/{pool.Name}/start");
    }

    /// <summary>Every operation ends without anybody's help, however many there are: some end in each span of quiet, until none is left.</summary>
    private async Task<string?> StuckAsync(Fleet fleet)
    {
        while (true)
        {
            var left = await Eventually.GetAsync("what has not ended", async _ => await LiveAsync(fleet));
            try
            {
                await Eventually.HoldsAsync("all operations to end", async _ => (await LiveAsync(fleet)).Count == 0, Quiet);
                return null;
            }
            catch (TimeoutException)
            {
                var live = await LiveAsync(fleet);
                if (left.Count > 0 && left.Keys.All(live.ContainsKey))
                    return $"In {Quiet.TotalSeconds:0} s of quiet none of {left.Count} has ended:\n{string.Join('\n', live.Values.Take(10))}";
            }
        }
    }

    /// <summary>What has not ended, by its id.</summary>
    private static async Task<Dictionary<Guid, string>> LiveAsync(Fleet fleet)
    {
        var live = new Dictionary<Guid, string>();
        foreach (var state in new[] { "queued", "dispatched", "running" })
            foreach (var operation in await fleet.Client.ReadAllAsync($"/v1/operations?state={state}", 1000))
                live[operation.GetProperty("id").GetGuid()] = operation.ToString();
        return live;
    }

    /// <summary>What helps to understand a violation outlives the fleet.</summary>
    /// <returns>The folder that it is in.</returns>
    private string Keep(Fleet fleet)
    {
        var folder = Directory.CreateDirectory(Path.Combine(FaultReport.Folder, name)).FullName;
        foreach (var log in Directory.GetFiles(fleet.Folder, "*.log"))
            File.Copy(log, Path.Combine(folder, Path.GetFileName(log)), overwrite: true);
        foreach (var log in backends.Folder is { } servers ? Directory.GetFiles(servers, "*.log", SearchOption.AllDirectories) : [])
            File.Copy(log, Path.Combine(folder, Path.GetFileName(log)), overwrite: true);
        foreach (var journal in Directory.GetFiles(Path.Combine(fleet.Folder, "state"), "journal.db*", SearchOption.AllDirectories))
            File.Copy(journal, Path.Combine(folder, Path.GetFileName(journal)), overwrite: true);
        return folder;
    }
}
