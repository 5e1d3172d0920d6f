using System.Diagnostics;
using System.Text.Json;
using Storage.Contracts;
using Storage.Worker;
using Storage.Worker.File;
using Xunit;

namespace Storage.HostTests;

/// <summary>A real server: found, gone, and back.</summary>
[Trait(Lab.Trait, "clusters")]
public sealed class GlusterPoolTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private HostUnderTest host = null!;
    private GlusterPool pool = null!;

    private string Name => pool.Definition.Name!;

    public async ValueTask InitializeAsync()
    {
        host = await ThisMachine.StartAsync();
        pool = new GlusterPool(host);
    }

    [Fact]
    public async Task Its_volumes_are_found_as_sources()
    {
        var sources = new NetfsSources(new CliWrapToolRunner(Microsoft.Extensions.Logging.Abstractions.NullLogger<CliWrapToolRunner>.Instance));
        var found = await sources.FindAsync(new PoolSource { Hosts = [new SourceHost(GlusterCluster.Address)] }, TestContext.Current.CancellationToken);
        Assert.Contains(found, source => (source.Format, source.Dir) == ("glusterfs", pool.Volume));
    }

    [Fact]
    public async Task A_pool_whose_server_is_gone_is_inaccessible_with_the_reason_and_usable_when_it_is_back()
    {
        foreach (var command in new ICommand[] { new BuildPool(null, Name), new StartPool(null, Name) })
            Assert.Equal(nameof(OperationSucceeded), (await RunAsync(command)).Type);
        var cluster = await Clusters.Gluster;
        cluster.KillBrick(pool.Volume);
        await RefreshUntilAsync(nameof(OperationFailed));
        var change = host.Events.Last(told => told.Type == nameof(PoolStateChanged)).Data.Deserialize<PoolStateChanged>(StorageJson.Options)!;
        Assert.Equal(PoolState.Inaccessible, change.State);
        Assert.NotEmpty(change.Reason!);
        Assert.Equal(nameof(OperationFailed), (await RunAsync(new CreateVolume(null, Name, new VolumeDefinition { Name = "v", Capacity = 1 }))).Type);
        await cluster.ReviveBrickAsync(pool.Volume);
        await RefreshUntilAsync(nameof(OperationSucceeded));
        Assert.Equal(nameof(OperationSucceeded), (await RunAsync(new CreateVolume(null, Name, new VolumeDefinition { Name = "v", Capacity = 1 }))).Type);
        Assert.Equal(nameof(OperationSucceeded), (await RunAsync(new StopPool(null, Name))).Type);
    }

    [Fact]
    public async Task A_target_with_a_blank_is_refused_before_anything_is_made_or_mounted()
    {
        var target = $"{pool.Definition.Target.Path} with blank";
        var blank = pool.Definition with { Target = pool.Definition.Target with { Path = target } };
        Assert.Equal((nameof(OperationFailed), false), ((await host.RunAsync(blank, new BuildPool(null, Name))).Type, Directory.Exists(target)));
        Directory.CreateDirectory(target);
        var failed = (await host.RunAsync(blank, new StartPool(null, Name))).Data.Deserialize<OperationFailed>(StorageJson.Options)!;
        Assert.Equal((ErrorCodes.UnsupportedConfiguration, "target.path"), (failed.Error.Code, failed.Error.Field));
        Assert.DoesNotContain(MountTable.Read(), entry => entry.Target.StartsWith(pool.Definition.Target.Path!, StringComparison.Ordinal));
        Directory.Delete(target);
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        pool.Dispose();
    }

    /// <summary>The client notices now and then what its server does.</summary>
    private async Task RefreshUntilAsync(string end)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(250));
        for (var watch = Stopwatch.StartNew(); await RunAsync(new RefreshPool(null, Name)) is var told && told.Type != end;)
        {
            Assert.True(watch.Elapsed < Patience, $"Still {told.Type}: {told.Data}");
            await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
    }

    private Task<StorageEvent> RunAsync(ICommand command) => host.RunAsync(pool.Definition, command);
}
