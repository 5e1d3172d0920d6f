using System.Net;
using Storage.Contracts;
using Xunit;

namespace Storage.IntegrationTests;

/// <summary>Commands with a time to expiry, on services that come and go.</summary>
public sealed class DeadlineFlows(TestBackends backends)
{
    private static readonly string[] Ends =
        [nameof(OperationSucceeded), nameof(OperationFailed), nameof(OperationCancelled), nameof(OperationExpired)];

    [Fact]
    public async Task What_does_not_begin_in_time_expires_though_the_timers_were_killed_meanwhile()
    {
        await using var fleet = await Fleet.StartAsync(backends);
        await new StorageUnderTest(fleet.Client, fleet.PoolPath).RunningPoolAsync("p");
        await fleet.Workers[0].StopAsync();
        await fleet.Inventory.KillAsync();
        var create = await fleet.Client.SubmitAsync(HttpMethod.Post, "/v1/pools/p/volumes", new { name = "a", capacity = 4096, allocation = 0 });
        var dispatched = await ExpiringAsync(fleet, "/v1/pools/p/volumes", new { name = "b", capacity = 4096, allocation = 0 });
        var waiting = await ExpiringAsync(fleet, "/v1/pools/p/refresh");
        await fleet.Inventory.StartAsync();

        var expired = await fleet.Client.EndOfAsync(waiting);
        Assert.Equal("expired", expired.GetProperty("state").GetString());
        Assert.Equal(ErrorCodes.Expired, expired.GetProperty("error").GetProperty("code").GetString());
        Assert.True(expired.GetProperty("endedAt").GetDateTimeOffset() >= expired.GetProperty("deadline").GetDateTimeOffset());

        await fleet.Workers[0].StartAsync();
        Assert.Equal("succeeded", (await fleet.Client.EndOfAsync(create)).GetProperty("state").GetString());
        // Its worker finds both the run and its expiry in the queue: which it is told first is the broker's.
        Assert.Contains((await fleet.Client.EndOfAsync(dispatched)).GetProperty("state").GetString(), new[] { "succeeded", "expired" });
        var events = await fleet.Client.ReadEventsAsync();
        Assert.All(new[] { create, dispatched, waiting }, id => Assert.Single(events, entry => entry.CommandId == id && Ends.Contains(entry.Type)));
    }

    [Fact]
    public async Task A_time_to_expiry_that_is_not_understood_is_refused()
    {
        await using var fleet = await Fleet.StartAsync(backends);
        var answer = await fleet.Client.SendAsync(HttpMethod.Post, "/v1/pools/p/refresh", headers: ("Expires-In", "0"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.Status);
        Assert.Equal((ErrorCodes.InvalidArgument, "Expires-In"),
            (answer.Body.GetProperty("code").GetString(), answer.Body.GetProperty("field").GetString()));
    }

    private static async Task<Guid> ExpiringAsync(Fleet fleet, string path, object? body = null) =>
        (await fleet.Client.SendAsync(HttpMethod.Post, path, body, headers: ("Expires-In", "1"))).OrThrow().Body.GetProperty("id").GetGuid();
}
