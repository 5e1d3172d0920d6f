using System.Diagnostics;
using Xunit;

namespace Storage.IntegrationTests;

/// <summary>One run: a fleet of its own, clients at work while faults are injected, quiet, and what the checker finds then.</summary>
public sealed class FaultRun(TestBackends backends, int seed)
{
    private const int KillsPerLine = 25;
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(180);

    /// <param name="enough">Says when no more faults are to be injected.</param>
    public async Task<FaultReport> RunAsync(Func<FaultInjector, TimeSpan, bool> enough)
    {
        var toolFolder = Directory.CreateTempSubdirectory("storage-tool-").FullName;
        var tool = new UnreliableTool(toolFolder);
        var path = $"{tool.Folder}:{Environment.GetEnvironmentVariable("PATH")}";
        try
        {
            var clocks = ServiceClocks.TryCreate(Path.Combine(toolFolder, "clocks"));
            await using var fleet = await Fleet.StartAsync(backends, new FleetLayout
            {
                Environment = new Dictionary<string, string> { ["PATH"] = path, ["Logging__LogLevel__Default"] = "Information", ["Bus__DeafAfter"] = "00:00:20" },
                EnvironmentOf = clocks?.Environment,
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
            foreach (var pool in pools.Append(probe))
                await DefineAsync(fleet, pool);
            try
            {
                return await RunAsync(fleet, pools, new Surroundings(disk, tool, clocks, await OldMessages.KeepAsync(fleet)), probe, enough);
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

    private async Task<FaultReport> RunAsync(
        Fleet fleet, List<FaultPool> pools, Surroundings around, FaultPool probe, Func<FaultInjector, TimeSpan, bool> enough)
    {
        var watch = Stopwatch.StartNew();
        var workload = new Workload(fleet, pools, seed);
        var faults = new FaultInjector(fleet, backends, pools, around, () => workload.ProbeAsync(probe.Name), seed);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var clients = workload.RunAsync(stop.Token);
        for (var told = 0; !enough(faults, watch.Elapsed) && workload.Violations.Count == 0;)
        {
            await faults.InjectAsync();
            if (faults.Kills / KillsPerLine == told)
                continue;
            told = faults.Kills / KillsPerLine;
            Console.WriteLine($"[faults] seed {seed}: {faults.Kills} kills, {workload.Sent} commands, {watch.Elapsed.TotalSeconds:0} s");
        }
        await stop.CancelAsync();
        await clients;
        var violations = new List<string>(workload.Violations);
        if (await StuckAsync(fleet) is { } stuck)
            violations.Add(stuck);
        else
            violations.AddRange(await new FaultChecker(fleet, pools).CheckAsync(workload.Accepted));
        var operations = (await fleet.Client.ReadAllAsync("/v1/operations", 1000))
            .GroupBy(operation => operation.GetProperty("state").GetString()!).ToDictionary(state => state.Key, state => state.Count());
        if (violations.Count > 0)
            Keep(fleet);
        return new FaultReport(seed, watch.Elapsed, workload.Sent, workload.Refused, operations, faults.Kills, faults.Injected, [.. faults.Recoveries], violations)
        {
            Events = (await fleet.Client.ReadEventsAsync()).Count,
            Restarts = ServiceProcess.All.Sum(service => service.Restarts),
        };
    }

    private static async Task DefineAsync(Fleet fleet, FaultPool pool)
    {
        await fleet.Client.PostAsync("/v1/pools", new { type = "dir", name = pool.Name, target = new { path = pool.Path } });
        await fleet.Client.PostAsync($"/v1/pools/{pool.Name}/build");
        await fleet.Client.PostAsync($"/v1/pools/{pool.Name}/start");
    }

    /// <summary>Every operation ends without anybody's help, however many there are: some end in each span of quiet, until none is left.</summary>
    private static async Task<string?> StuckAsync(Fleet fleet)
    {
        for (var left = int.MaxValue; ;)
        {
            try
            {
                await Eventually.HoldsAsync("all operations to end", async _ => (await LiveAsync(fleet)).Count == 0, Quiet);
                return null;
            }
            catch (TimeoutException)
            {
                var live = await LiveAsync(fleet);
                if (live.Count >= left)
                    return $"In {Quiet.TotalSeconds:0} s of quiet none of {live.Count} has ended:\n{string.Join('\n', live.Take(10))}";
                left = live.Count;
            }
        }
    }

    private static async Task<List<string>> LiveAsync(Fleet fleet)
    {
        var live = new List<string>();
        foreach (var state in new[] { "queued", "dispatched", "running" })
            live.AddRange((await fleet.Client.ReadAllAsync($"/v1/operations?state={state}", 1000)).Select(operation => operation.ToString()));
        return live;
    }

    /// <summary>What helps to understand a violation outlives the fleet.</summary>
    /// <returns>The folder that it is in.</returns>
    private string Keep(Fleet fleet)
    {
        var folder = Directory.CreateDirectory(Path.Combine(FaultReport.Folder, $"seed-{seed}")).FullName;
        foreach (var log in Directory.GetFiles(fleet.Folder, "*.log"))
            File.Copy(log, Path.Combine(folder, Path.GetFileName(log)), overwrite: true);
        foreach (var log in backends.Folder is { } servers ? Directory.GetFiles(servers, "*.log", SearchOption.AllDirectories) : [])
            File.Copy(log, Path.Combine(folder, Path.GetFileName(log)), overwrite: true);
        foreach (var journal in Directory.GetFiles(Path.Combine(fleet.Folder, "state"), "journal.db*", SearchOption.AllDirectories))
            File.Copy(journal, Path.Combine(folder, Path.GetFileName(journal)), overwrite: true);
        return folder;
    }
}
