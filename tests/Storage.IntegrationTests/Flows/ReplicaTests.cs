using System.Text.RegularExpressions;
using Storage.Contracts;
using Xunit;

namespace Storage.IntegrationTests;

/// <summary>Two replicas of a worker for cluster-scoped pools, of which one is lost in the middle of work.</summary>
[Trait(Servers.Trait, Servers.Any)]
public sealed partial class ReplicaTests(TestBackends backends) : IDisposable
{
    private const int LostAfter = 6;
    private const string Volume = "held-volume";

    private static readonly string[] Ends =
        [nameof(OperationSucceeded), nameof(OperationFailed), nameof(OperationCancelled), nameof(OperationExpired)];

    private readonly SharedCluster cluster = new();

    public void Dispose() => cluster.Dispose();

    [Fact]
    public async Task What_a_killed_replica_was_doing_is_ended_by_the_other_and_left_alone_when_it_comes_back()
    {
        await using var fleet = await StartAsync();
        var (create, holder, other) = await HeldBackAsync(fleet);
        await holder.Process.KillAsync();
        await cluster.HeldBackAsync(other.Host, Volume);
        cluster.LetGo(Volume);
        var end = await fleet.Client.EndOfAsync(create);
        Assert.Equal(("succeeded", other.Host), (State(end), end.GetProperty("worker").GetString()));
        Assert.Equal([Volume], cluster.Files);
        Assert.Equal([$"{holder.Host} begun {Volume}", $"{other.Host} begun {Volume}", $"{other.Host} made {Volume}"], cluster.Effects);

        await holder.Process.StartAsync();
        await holder.Process.LoggedAsync("is not run here: Ended");
        await holder.Process.StopAsync();
        await holder.Process.StartAsync();
        // Its journal: new, then with the run that was cut off, then without it.
        Assert.Equal(["0", "1", "0"], TakenFromJournal().Matches(await File.ReadAllTextAsync(holder.Process.LogFile, Cancellation)).Select(match => match.Groups[1].Value));
        Assert.Equal(3, cluster.Effects.Length);
        await HasOneEndAsync(fleet, create);
    }

    [Fact]
    public async Task A_replica_that_slept_until_the_other_had_done_it_does_nothing_twice()
    {
        await using var fleet = await StartAsync();
        var (create, holder, other) = await HeldBackAsync(fleet);
        await holder.Process.SignalAsync("STOP");
        await cluster.HeldBackAsync(other.Host, Volume);
        cluster.LetGo(Volume);
        Assert.Equal("succeeded", State(await fleet.Client.EndOfAsync(create)));
        await holder.Process.SignalAsync("CONT");
        await holder.Process.LoggedAsync("is not run here: Ended");
        Assert.Equal([$"{holder.Host} begun {Volume}", $"{other.Host} begun {Volume}", $"{other.Host} made {Volume}"], cluster.Effects);
        Assert.Equal([Volume], cluster.Files);
        await HasOneEndAsync(fleet, create);
    }

    [Fact]
    public async Task A_replica_that_is_back_before_it_is_lost_goes_on_itself()
    {
        await using var fleet = await StartAsync(lostAfter: 60);
        var (create, holder, _) = await HeldBackAsync(fleet);
        await holder.Process.KillAsync();
        cluster.ForgetHeldBack(holder.Host, Volume);
        await holder.Process.StartAsync();
        await cluster.HeldBackAsync(holder.Host, Volume);
        cluster.LetGo(Volume);
        var end = await fleet.Client.EndOfAsync(create);
        Assert.Equal(("succeeded", holder.Host), (State(end), end.GetProperty("worker").GetString()));
        Assert.Equal([$"{holder.Host} begun {Volume}", $"{holder.Host} begun {Volume}", $"{holder.Host} made {Volume}"], cluster.Effects);
        await HasOneEndAsync(fleet, create);
    }

    [Fact]
    public async Task A_cancel_reaches_the_replica_that_took_over_and_leaves_nothing_behind()
    {
        await using var fleet = await StartAsync();
        var (create, holder, other) = await HeldBackAsync(fleet);
        await holder.Process.KillAsync();
        await cluster.HeldBackAsync(other.Host, Volume);
        await fleet.Client.PostAsync($"/v1/operations/{create}/cancel");
        Assert.Equal("cancelled", State(await fleet.Client.EndOfAsync(create)));
        await holder.Process.StartAsync();
        await holder.Process.LoggedAsync("is not run here: Ended");
        Assert.Empty(cluster.Files);
        Assert.DoesNotContain(cluster.Effects, effect => effect.Contains("made", StringComparison.Ordinal));
        await HasOneEndAsync(fleet, create);
    }

    [Fact]
    public async Task A_replica_that_does_not_reach_the_inventory_stops_and_somebody_goes_on_when_it_is_back()
    {
        await using var fleet = await StartAsync();
        var (create, holder, _) = await HeldBackAsync(fleet);
        await fleet.Inventory.KillAsync();
        await holder.Process.LoggedAsync("are cut off until it does");
        cluster.LetGo(Volume);
        Assert.DoesNotContain(cluster.Effects, effect => effect.Contains("made", StringComparison.Ordinal));
        await fleet.Inventory.StartAsync();
        Assert.Equal("succeeded", State(await fleet.Client.EndOfAsync(create)));
        Assert.Single(cluster.Effects, effect => effect.Contains("made", StringComparison.Ordinal));
        Assert.Equal([Volume], cluster.Files);
        await HasOneEndAsync(fleet, create);
    }

    [Fact]
    public async Task Replicas_share_a_stream_of_commands()
    {
        await using var fleet = await StartAsync(lostAfter: 60);
        var creates = new List<Guid>();
        for (var i = 0; i < 60; i++)
            creates.Add(await CreateAsync(fleet, $"v{i:00}"));
        foreach (var create in creates)
            Assert.Equal("succeeded", State(await fleet.Client.EndOfAsync(create)));
        var made = cluster.Effects.Where(effect => effect.Contains("made", StringComparison.Ordinal)).Select(effect => effect.Split(' ')).ToList();
        Assert.Equal(["host-a", "host-b"], made.Select(effect => effect[0]).Distinct().Order());
        Assert.Equal(cluster.Files, made.Select(effect => effect[2]).Order(StringComparer.Ordinal));
        Assert.Equal(60, cluster.Files.Length);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private async Task<Fleet> StartAsync(int lostAfter = LostAfter)
    {
        var fleet = await Fleet.StartAsync(backends, cluster.Layout(lostAfter, "host-a", "host-b"));
        await fleet.Client.PostAsync("/v1/pools", new { type = "rbd", name = "cluster", source = new { name = "rbd", hosts = new[] { new { name = "monitor" } } } });
        await fleet.Client.PostAsync("/v1/pools/cluster/start");
        return fleet;
    }

    private static Task<Guid> CreateAsync(Fleet fleet, string volume) =>
        fleet.Client.SubmitAsync(HttpMethod.Post, "/v1/pools/cluster/volumes", new { name = volume, capacity = 4096 });

    /// <summary>A creation that one of the two replicas holds back half done.</summary>
    private async Task<(Guid Operation, Replica Holder, Replica Other)> HeldBackAsync(Fleet fleet)
    {
        var create = await CreateAsync(fleet, Volume);
        var holder = await Eventually.GetAsync("somebody to hold the creation", async _ =>
            (await fleet.Client.ReadAsync($"/v1/operations/{create}")).TryGetProperty("worker", out var worker) ? worker.GetString() : null);
        await cluster.HeldBackAsync(holder, Volume);
        Replica[] replicas = [new("host-a", fleet.Workers[0]), new("host-b", fleet.Workers[1])];
        return (create, replicas.Single(replica => replica.Host == holder), replicas.Single(replica => replica.Host != holder));
    }

    private static async Task HasOneEndAsync(Fleet fleet, Guid operation)
    {
        var events = await fleet.Client.ReadEventsAsync();
        Assert.Single(events, entry => entry.CommandId == operation && Ends.Contains(entry.Type));
        Assert.InRange(events.Count(entry => entry.CommandId == operation && entry.Type == nameof(VolumeCreated)), 0, 1);
    }

    private static string State(System.Text.Json.JsonElement operation) => operation.GetProperty("state").GetString()!;

    [GeneratedRegex("Taken from the journal: (\\d+) runs")]
    private static partial Regex TakenFromJournal();

    private sealed record Replica(string Host, ServiceProcess Process);
}
