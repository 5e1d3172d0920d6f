using System.Text.Json;
using Storage.Contracts;
using Storage.Worker;
using Storage.Worker.File;
using Xunit;

namespace Storage.HostTests;

/// <summary>A real server: found, gone, and back.</summary>
public sealed class GlusterPoolTests : IAsyncDisposable
{
    private readonly WorkerOnHost worker = WorkerOnHost.OfFileFamily();
    private readonly GlusterPool pool = new();

    private string Name => pool.Definition.Name!;

    [Fact]
    public async Task Its_volumes_are_found_as_sources()
    {
        var sources = new NetfsSources(new CliWrapToolRunner(Microsoft.Extensions.Logging.Abstractions.NullLogger<CliWrapToolRunner>.Instance));
        var found = await sources.FindAsync(new PoolSource { Hosts = [new SourceHost("127.0.0.1")] }, TestContext.Current.CancellationToken);
        Assert.Contains(found, source => (source.Format, source.Dir) == ("glusterfs", pool.Volume));
    }

    [Fact]
    public async Task A_pool_whose_server_is_gone_is_inaccessible_with_the_reason_and_usable_when_it_is_back()
    {
        await worker.StartAsync();
        foreach (var command in new ICommand[] { new BuildPool(null, Name), new StartPool(null, Name) })
            Assert.Equal(nameof(OperationSucceeded), (await RunAsync(command)).Type);
        GlusterServer.Running.KillBrick(pool.Volume);
        await RefreshUntilAsync(nameof(OperationFailed));
        var change = worker.Events.Last(told => told.Type == nameof(PoolStateChanged)).Data.Deserialize<PoolStateChanged>(StorageJson.Options)!;
        Assert.Equal(PoolState.Inaccessible, change.State);
        Assert.NotEmpty(change.Reason!);
        Assert.Equal(nameof(OperationFailed), (await RunAsync(new CreateVolume(null, Name, new VolumeDefinition { Name = "v", Capacity = 1 }))).Type);
        GlusterServer.Running.ReviveBrick(pool.Volume);
        await RefreshUntilAsync(nameof(OperationSucceeded));
        Assert.Equal(nameof(OperationSucceeded), (await RunAsync(new CreateVolume(null, Name, new VolumeDefinition { Name = "v", Capacity = 1 }))).Type);
        Assert.Equal(nameof(OperationSucceeded), (await RunAsync(new StopPool(null, Name))).Type);
    }

    public async ValueTask DisposeAsync()
    {
        await worker.DisposeAsync();
        pool.Dispose();
    }

    /// <summary>The client notices now and then what its server does.</summary>
    private async Task RefreshUntilAsync(string end)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(250));
        while ((await RunAsync(new RefreshPool(null, Name))).Type != end)
            await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken);
    }

    private Task<StorageEvent> RunAsync(ICommand command) => worker.RunAsync(pool.Definition, command);
}
