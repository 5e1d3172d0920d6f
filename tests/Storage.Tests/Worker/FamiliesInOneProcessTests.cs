using MassTransit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Storage.Contracts;
using Storage.Hosting;
using Storage.Worker;
using Xunit;

namespace Storage.Tests;

/// <summary>The workers of two families that share a process, a bus and a host.</summary>
public sealed class FamiliesInOneProcessTests : IAsyncDisposable
{
    private readonly WorkerRig rig = new();
    private readonly ReportInbox inbox = new();
    private readonly InMemoryBackend files = new();
    private readonly InMemoryBackend cluster = new() { Type = PoolType.Rbd };
    private readonly PoolDefinition clusterPool = new()
    {
        Type = PoolType.Rbd,
        Name = "cluster",
        Uuid = Guid.NewGuid(),
        Source = new PoolSource { Name = "rbd", Hosts = [new SourceHost("monitor")] },
    };
    private readonly IHost host;

    public FamiliesInOneProcessTests() => host = Build();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_has_a_queue_a_journal_and_a_registration_of_its_own()
    {
        await host.StartAsync(Cancellation);
        await inbox.UntilAsync(seen => Announced(seen).Count() == 2);
        Assert.Equal([PoolFamily.File, PoolFamily.Network], Announced(inbox).Select(report => report.Family).Order());
        Assert.Equal(2, Announced(inbox).Select(report => report.Instance).Distinct().Count());

        OperationRun ofFiles = rig.Create("a"), ofCluster = rig.Create("b", clusterPool), strayed = rig.Create("c", clusterPool);
        await SendAsync(PoolFamily.File, ofFiles);
        await SendAsync(PoolFamily.Network, ofCluster);
        await SendAsync(PoolFamily.File, strayed);
        Assert.Equal(nameof(OperationSucceeded), (await inbox.EndAsync(ofFiles.OperationId)).Type);
        Assert.Equal(nameof(OperationSucceeded), (await inbox.EndAsync(ofCluster.OperationId)).Type);
        // Its backend is in the process; the worker that was asked does not use it.
        Assert.Equal(ErrorCodes.Unsupported, (await inbox.ErrorAsync(strayed.OperationId)).Code);
        Assert.Equal(["a"], files.Names);
        Assert.Equal(["b"], cluster.Names);
        Assert.Equal(PoolFamily.Network, Reporter(ofCluster));
        Assert.Equal(PoolFamily.File, Reporter(ofFiles));

        await host.StopAsync(Cancellation);
        Assert.Equal([RunStanding.Ended, RunStanding.New], await StandingsAsync(PoolFamily.File, ofFiles, ofCluster));
        Assert.Equal([RunStanding.New, RunStanding.Ended], await StandingsAsync(PoolFamily.Network, ofFiles, ofCluster));
    }

    [Fact]
    public async Task One_that_stands_by_holds_up_no_other()
    {
        await using var first = await rig.StartAsync();
        await host.StartAsync(Cancellation);
        await inbox.UntilAsync(seen => Announced(seen).Any());
        var run = rig.Create("b", clusterPool);
        await SendAsync(PoolFamily.Network, run);
        Assert.Equal(nameof(OperationSucceeded), (await inbox.EndAsync(run.OperationId)).Type);
        var health = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Cancellation);
        Assert.Equal(
            (HealthStatus.Unhealthy, HealthStatus.Healthy), (health.Entries["worker-file"].Status, health.Entries["worker-network"].Status));
        Assert.All(Announced(inbox), report => Assert.Equal(PoolFamily.Network, report.Family));
        await host.StopAsync(Cancellation);
    }

    [Theory]
    [InlineData(null, "File Network")]
    [InlineData("", "File Network")]
    [InlineData("network", "Network")]
    [InlineData("Network, file network", "Network File")]
    public void Served_are_those_that_are_named_or_all(string? named, string served) =>
        Assert.Equal(served.Split(' '), Chosen(named).Select(family => family.ToString()));

    [Theory]
    [InlineData("zfs")]
    [InlineData("file,nothing")]
    [InlineData("0")]
    public void A_name_of_nothing_that_is_built_is_refused(string named)
    {
        var error = Assert.Throws<InvalidOperationException>(() => Chosen(named));
        Assert.Contains("file, network", error.Message, StringComparison.Ordinal);
    }

    public async ValueTask DisposeAsync()
    {
        host.Dispose();
        await rig.DisposeAsync();
    }

    private static IReadOnlyList<PoolFamily> Chosen(string? named) => WorkerFamilies.Chosen(
        new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Worker:Families"] = named }).Build(),
        [PoolFamily.Network, PoolFamily.File]);

    private static IEnumerable<HostReport> Announced(ReportInbox seen) => seen.Reports
        .Where(report => report.Events.Any(told => told.Type == nameof(WorkerAnnounced))).DistinctBy(report => report.Family);

    private PoolFamily Reporter(OperationRun run) => inbox.Reports.First(report => report.Events.Any(told => told.CommandId == run.OperationId)).Family;

    private Task SendAsync(PoolFamily family, OperationRun run) => host.Services.GetRequiredService<IBus>()
        .SendToAsync(Queues.Worker(family, rig.Options.Host), new RunOperations([run]), Cancellation);

    /// <summary>What a journal knows of runs.</summary>
    private async Task<IEnumerable<RunStanding>> StandingsAsync(PoolFamily family, params OperationRun[] runs)
    {
        await using var journal = new RunJournal(
            Path.Combine(rig.Options.FamilyFolder(family), "journal.db"), new JournalOptions(false, 1000, TimeSpan.FromDays(7)),
            new RevisionClock(TimeProvider.System), TimeProvider.System);
        return (await journal.AcceptAsync(runs)).Select(accepted => accepted.Standing);
    }

    private IHost Build()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Bus:Uri"] = "memory",
            ["Worker:Host"] = rig.Options.Host,
            ["Worker:StateFolder"] = rig.Options.StateFolder,
        });
        builder.Services.AddSingleton<IPoolBackend>(files);
        builder.Services.AddSingleton<IPoolBackend>(cluster);
        builder.Services.AddSingleton(new BusEndpoint(Queues.Inventory, (_, receive) => receive.Handler<HostReport>(async message =>
        {
            await inbox.SendAsync(message.Message, message.CancellationToken);
            await message.RespondAsync(new ReportTaken(message.Message.Events.Count));
        })));
        builder.Services.AddStorageBus(builder.Configuration);
        foreach (var family in new[] { PoolFamily.File, PoolFamily.Network })
            builder.Services.AddWorker(builder.Configuration, family);
        return builder.Build();
    }
}
