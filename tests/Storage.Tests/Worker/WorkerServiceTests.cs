using MassTransit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Storage.Contracts;
using Storage.Hosting;
using Storage.Worker;
using Xunit;

namespace Storage.Tests;

public sealed class WorkerServiceTests
{
    [Fact]
    public async Task Runs_come_from_the_host_s_queue_and_reports_go_to_the_inventory()
    {
        var inbox = new ReportInbox();
        await using var rig = new WorkerRig();
        using var host = Build(rig, inbox);
        await host.StartAsync(TestContext.Current.CancellationToken);
        var bus = host.Services.GetRequiredService<IBus>();
        OperationRun run = rig.Create("a"), cancelled = rig.Create("b");
        await inbox.FirstAsync<WorkerAnnounced>();
        await bus.SendToAsync(Queues.Worker(PoolFamily.File, "host-a"), new RunOperations([run]), TestContext.Current.CancellationToken);
        Assert.Equal(nameof(OperationSucceeded), (await inbox.EndAsync(run.OperationId)).Type);
        await bus.SendToAsync(Queues.Worker(PoolFamily.File, "host-a"), new CancelRun(cancelled.OperationId), TestContext.Current.CancellationToken);
        await bus.SendToAsync(Queues.Worker(PoolFamily.File, "host-a"), new RunOperations([cancelled]), TestContext.Current.CancellationToken);
        await inbox.EndAsync(cancelled.OperationId);
        Assert.Equal("a", (await inbox.FirstAsync<VolumeCreated>()).Read<VolumeCreated>().Volume.Name);
        var health = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(TestContext.Current.CancellationToken);
        Assert.Equal(HealthStatus.Healthy, health.Entries["worker-file"].Status);
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Runs_of_any_replica_come_from_the_family_s_queue_and_are_asked_for_and_an_end_comes_to_the_host_s()
    {
        var inbox = new ReportInbox();
        await using var rig = new WorkerRig();
        var cluster = new InMemoryBackend { Type = PoolType.Rbd, Creating = (_, _, token) => Task.Delay(Timeout.Infinite, token) };
        using var host = Build(rig, inbox, cluster);
        await host.StartAsync(TestContext.Current.CancellationToken);
        await inbox.FirstAsync<WorkerAnnounced>();
        var pool = new PoolDefinition
        {
            Type = PoolType.Rbd,
            Name = "cluster",
            Uuid = Guid.NewGuid(),
            Source = new PoolSource { Name = "rbd", Hosts = [new SourceHost("monitor")] },
        };
        var run = rig.Create("a", pool) with { Shared = true };
        var bus = host.Services.GetRequiredService<IBus>();
        await bus.SendToAsync(Queues.Worker(PoolFamily.Network), new RunOperations([run]), TestContext.Current.CancellationToken);
        await inbox.FirstAsync<OperationProgressed>(run.OperationId);
        Assert.Contains(rig.Holds.Questions, question => question.OperationId == run.OperationId);
        await bus.SendToAsync(Queues.Worker(PoolFamily.Network, "host-a"), new CancelRun(run.OperationId), TestContext.Current.CancellationToken);
        Assert.Equal(nameof(OperationCancelled), (await inbox.EndAsync(run.OperationId)).Type);
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_standby_is_not_ready_until_the_worker_before_it_ends()
    {
        var inbox = new ReportInbox();
        await using var rig = new WorkerRig();
        var first = await rig.StartAsync();
        using var host = Build(rig, inbox);
        await host.StartAsync(TestContext.Current.CancellationToken);
        var health = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(TestContext.Current.CancellationToken);
        Assert.Equal(HealthStatus.Unhealthy, health.Entries["worker-file"].Status);
        await first.DisposeAsync();
        await inbox.FirstAsync<WorkerAnnounced>();
        var run = rig.Create("a");
        await host.Services.GetRequiredService<IBus>().SendToAsync(
            Queues.Worker(PoolFamily.File, "host-a"), new RunOperations([run]), TestContext.Current.CancellationToken);
        Assert.Equal(nameof(OperationSucceeded), (await inbox.EndAsync(run.OperationId)).Type);
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData("Host", "a/b")]
    [InlineData("Host", "")]
    [InlineData("StateFolder", "state")]
    [InlineData("ConcurrentRunsPerPool", "0")]
    [InlineData("RefreshReaders", "0")]
    [InlineData("KeepRuns", "1")]
    public async Task Options_that_would_break_later_are_refused_at_start(string key, string value)
    {
        await using var rig = new WorkerRig();
        using var host = Build(rig, new ReportInbox(), ($"Worker:{key}", value));
        await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_family_can_have_options_of_its_own()
    {
        await using var rig = new WorkerRig();
        using var host = Build(rig, new ReportInbox(), ("Worker:File:ConcurrentRunsPerPool", "9"));
        var options = host.Services.GetRequiredService<IOptionsMonitor<WorkerOptions>>().Get("File");
        Assert.Equal((9, "host-a"), (options.ConcurrentRunsPerPool, options.Host));
    }

    private static IHost Build(WorkerRig rig, ReportInbox inbox, params (string Key, string Value)[] settings) =>
        Build(rig, inbox, rig.Backend, settings);

    private static IHost Build(WorkerRig rig, ReportInbox inbox, InMemoryBackend backend, params (string Key, string Value)[] settings)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Bus:Uri"] = "memory",
            ["Worker:Host"] = rig.Options.Host,
            ["Worker:StateFolder"] = rig.Options.StateFolder,
        });
        builder.Configuration.AddInMemoryCollection(settings.ToDictionary(setting => setting.Key, setting => (string?)setting.Value));
        builder.Services.AddSingleton<IPoolBackend>(backend);
        builder.Services.AddSingleton(new BusEndpoint(Queues.Inventory, (_, receive) =>
        {
            receive.Handler<HostReport>(async message =>
            {
                await inbox.SendAsync(message.Message, message.CancellationToken);
                await message.RespondAsync(new ReportTaken(message.Message.Events.Count));
            });
            receive.Handler<HoldRun>(async message => await message.RespondAsync(await rig.Holds.AskAsync(message.Message, message.CancellationToken)));
        }));
        builder.Services.AddStorageBus(builder.Configuration);
        builder.Services.AddWorker(builder.Configuration, PoolTypes.Of(backend.Type).Family);
        return builder.Build();
    }
}
