using System.Text.Json;
using Storage.Contracts;
using Xunit;

namespace Storage.IntegrationTests;

/// <summary>Services killed in the middle of work, and a broker and a database that go away: nothing is lost, left or done twice.</summary>
public sealed class CrashTests(TestBackends backends)
{
    private const int Creates = 500;
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(120);

    [Theory]
    [InlineData("worker")]
    [InlineData("inventory")]
    [InlineData("api")]
    public async Task Every_accepted_create_has_one_end_when_a_service_is_killed(string service)
    {
        await using var fleet = await Fleet.StartAsync(backends);
        var victim = service switch { "worker" => fleet.Workers[0], "inventory" => fleet.Inventory, _ => fleet.Api };
        await RunAsync(fleet, async () =>
        {
            await victim.KillAsync();
            await victim.StartAsync();
        });
    }

    [Fact]
    public async Task Every_accepted_create_has_one_end_when_the_broker_restarts() => await WithAsync(backends.RestartBrokerAsync);

    [Fact]
    public async Task Every_accepted_create_has_one_end_when_the_database_restarts() => await WithAsync(backends.RestartDatabaseAsync);

    [Fact]
    public async Task Commands_sent_while_no_worker_runs_are_done_when_it_comes_up()
    {
        await using var fleet = await Fleet.StartAsync(backends);
        var storage = new StorageUnderTest(fleet.Client, fleet.PoolPath);
        var path = await storage.RunningPoolAsync("patient");
        await fleet.Workers[0].StopAsync();
        var operations = new List<Guid>();
        for (var i = 0; i < 20; i++)
            operations.Add(await fleet.Client.SubmitAsync(HttpMethod.Post, "/v1/pools/patient/volumes", new { name = $"v{i:00}", capacity = 4096, allocation = 0 }));
        Assert.Empty(StorageUnderTest.FilesIn(path));
        await fleet.Workers[0].StartAsync();
        foreach (var operation in operations)
            Assert.Equal("succeeded", (await fleet.Client.EndOfAsync(operation)).GetProperty("state").GetString());
        Assert.Equal(20, StorageUnderTest.FilesIn(path).Length);
    }

    [Fact]
    public async Task Services_that_start_before_the_broker_and_the_database_wait_for_them()
    {
        await using var fleet = await Fleet.StartAsync(backends);
        var storage = new StorageUnderTest(fleet.Client, fleet.PoolPath);
        await storage.RunningPoolAsync("early");
        ServiceProcess[] services = [fleet.Api, fleet.Inventory, fleet.Workers[0]];
        foreach (var service in services)
            await service.StopAsync();
        await backends.Broker.StopAsync();
        await backends.Database.StopAsync();
        await fleet.Workers[0].StartWithoutReadinessAsync();
        await fleet.Api.LaunchAsync();
        await fleet.Inventory.LaunchAsync();
        await backends.Database.StartAsync(TestContext.Current.CancellationToken);
        await backends.Broker.StartAsync(TestContext.Current.CancellationToken);
        foreach (var service in services)
            await service.ReadyAsync();
        await fleet.Client.PostAsync("/v1/pools/early/volumes", new { name = "late", capacity = 4096, allocation = 0 });
    }

    [Fact]
    public async Task Two_workers_on_one_host_do_each_command_once_and_the_second_takes_over()
    {
        await using var fleet = await Fleet.StartAsync(backends, FleetLayout.Of("host-a", "host-a"));
        var storage = new StorageUnderTest(fleet.Client, fleet.PoolPath);
        await storage.RunningPoolAsync("shared");
        await PostAsync("first", 50);
        await fleet.Workers[0].KillAsync();
        await fleet.Workers[1].ReadyAsync();
        await PostAsync("second", 50);
        var created = (await fleet.Client.ReadEventsAsync()).Where(entry => entry.Type == nameof(VolumeCreated)).ToList();
        Assert.Equal(100, created.Count);
        Assert.Equal(100, created.Select(entry => entry.Resource).Distinct().Count());

        Task PostAsync(string prefix, int count) => Task.WhenAll(Enumerable.Range(0, count).Select(i =>
            fleet.Client.PostAsync("/v1/pools/shared/volumes", new { name = $"{prefix}-{i}", capacity = 4096, allocation = 0 })));
    }

    [Fact]
    public async Task A_pool_with_autostart_is_started_when_its_worker_comes_up()
    {
        await using var fleet = await Fleet.StartAsync(backends);
        var storage = new StorageUnderTest(fleet.Client, fleet.PoolPath);
        await storage.RunningPoolAsync("automatic");
        await fleet.Client.PutAsync("/v1/pools/automatic/autostart", new { autostart = true });
        await fleet.Client.PostAsync("/v1/pools/automatic/stop");
        await fleet.Workers[0].StopAsync();
        await fleet.Workers[0].StartAsync();
        await Eventually.HoldsAsync("the pool to run again", async _ =>
            (await fleet.Client.ReadAsync("/v1/pools/automatic")).GetProperty("state").GetString() == "running");
    }

    [Fact]
    public async Task The_inventory_is_rebuilt_from_the_event_log_by_a_command()
    {
        await using var fleet = await Fleet.StartAsync(backends);
        var storage = new StorageUnderTest(fleet.Client, fleet.PoolPath);
        await storage.RunningPoolAsync("rebuilt");
        await fleet.Client.PostAsync("/v1/pools/rebuilt/volumes", Enumerable.Range(0, 50).Select(i => new { name = $"v{i}", capacity = 4096, allocation = 0 }).ToList());
        await fleet.Client.DeleteAsync("/v1/pools/rebuilt/volumes/v7");
        // Others write to the same file system: how full the pool is would go on being told.
        await fleet.Workers[0].StopAsync();
        var before = await SnapshotAsync();
        await fleet.Inventory.RunAsync("rebuild");
        Assert.Equal(before, await SnapshotAsync());

        async Task<string> SnapshotAsync() => string.Join('\n',
        [
            (await fleet.Client.ReadAsync("/v1/pools/rebuilt")).ToString(),
            .. (await fleet.Client.ReadAllAsync("/v1/pools/rebuilt/volumes", 1000)).Select(volume => volume.ToString()),
        ]);
    }

    [Fact]
    public async Task The_standalone_process_goes_on_with_accepted_work_after_a_kill()
    {
        await using var standalone = await StandaloneProcess.StartAsync(new Dictionary<string, string> { ["Worker__Host"] = "host-a" });
        await KillInTheMiddleAsync(new StorageUnderTest(standalone.Client, standalone.PoolPath), async () =>
        {
            await standalone.Process.KillAsync();
            await standalone.Process.StartAsync();
        });
    }

    private async Task WithAsync(Func<Task> disturb)
    {
        await using var fleet = await Fleet.StartAsync(backends);
        await RunAsync(fleet, disturb);
    }

    private static Task RunAsync(Fleet fleet, Func<Task> disturb) =>
        KillInTheMiddleAsync(new StorageUnderTest(fleet.Client, fleet.PoolPath), disturb);

    /// <summary>Posts creates, disturbs half-way, waits until all is quiet and compares operations, inventory, event log and disk.</summary>
    private static async Task KillInTheMiddleAsync(StorageUnderTest storage, Func<Task> disturb)
    {
        var path = await storage.RunningPoolAsync("crash");
        var ids = Enumerable.Range(0, Creates).Select(_ => Guid.NewGuid()).ToList();
        var posted = 0;
        var half = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var posting = Parallel.ForEachAsync(Enumerable.Range(0, Creates), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, _) =>
        {
            // A client that gets no answer asks again with the same key.
            await Eventually.GetAsync($"create {i} to be accepted", async _ =>
            {
                var answer = await storage.Client.SendAsync(HttpMethod.Post, "/v1/pools/crash/volumes",
                    new { name = $"v{i:000}", capacity = 65536, allocation = i % 2 == 0 ? 0 : 65536 }, key: ids[i].ToString());
                return answer.Succeeded ? answer : null;
            }, Settled);
            if (Interlocked.Increment(ref posted) == Creates / 2)
                half.TrySetResult();
        });
        await half.Task;
        await disturb();
        await posting;
        var ends = new Dictionary<string, int>();
        foreach (var id in ids)
        {
            var state = (await storage.Client.EndOfAsync(id, Settled)).GetProperty("state").GetString()!;
            ends[state] = ends.GetValueOrDefault(state) + 1;
        }
        Assert.Equal(new Dictionary<string, int> { ["succeeded"] = Creates }, ends);

        var events = await storage.Client.ReadEventsAsync();
        var terminal = events.Where(entry => entry.Type is nameof(OperationSucceeded) or nameof(OperationFailed) or nameof(OperationCancelled))
            .GroupBy(entry => entry.CommandId!.Value).ToDictionary(group => group.Key, group => group.Count());
        Assert.All(ids, id => Assert.Equal(1, terminal[id]));
        Assert.All(events.GroupBy(entry => entry.Resource), resource =>
            Assert.Equal(resource.Select(entry => entry.Revision).Order().Distinct(), resource.Select(entry => entry.Revision)));
        Assert.Equal(StorageUnderTest.FilesIn(path), await storage.VolumesAsync("crash"));
        Assert.Equal(Creates, StorageUnderTest.FilesIn(path).Length);
        TestContext.Current.TestOutputHelper?.WriteLine(JsonSerializer.Serialize(new { ends, events = events.Count }));
    }
}
