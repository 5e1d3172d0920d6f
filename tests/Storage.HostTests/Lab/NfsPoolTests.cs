using Storage.Contracts;
using Xunit;

namespace Storage.HostTests;

/// <summary>A real NFS server: one that trusts no root, and one that is gone and comes back.</summary>
[Collection(Lab.Name)]
[Trait(Lab.Trait, Lab.Name)]
public sealed class NfsPoolTests : IAsyncLifetime
{
    private HostUnderTest host = null!;

    public async ValueTask InitializeAsync() => host = await LabHost.RunningAsync();

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task Its_exports_are_found_as_sources(string server)
    {
        using var pool = new NfsPool(host, "3", server: server);
        var end = await host.RunAsync(pool.Definition, new FindPoolSources(null, PoolType.Netfs, Source: new PoolSource { Hosts = [new SourceHost(server)] }));
        Assert.Equal(nameof(OperationSucceeded), end.Type);
        var found = host.Events.Last(told => told.CommandId == end.CommandId && told.Type == nameof(PoolSourcesFound)).Read<PoolSourcesFound>().Sources;
        Assert.Contains(found, source => (source.Format, source.Dir) == ("nfs", pool.Exported));
    }

    [Theory]
    [InlineData("3")]
    [InlineData("4.1")]
    public async Task On_an_export_without_root_volumes_are_made_as_nobody_where_that_may_and_else_refused(string version)
    {
        using var pool = new NfsPool(host, version, "root_squash");
        var name = pool.Definition.Name!;
        await DoneAsync(pool, new BuildPool(null, name));
        await DoneAsync(pool, new StartPool(null, name));
        var error = await ErrorAsync(pool, Create(name, "refused"));
        Assert.Equal(ErrorCodes.HostFailure, error.Code);
        Assert.Contains("Permission denied", error.Message, StringComparison.Ordinal);
        Assert.Equal(["lost+found"], host.Names(pool.Exported));
        host.Shell($"chown nobody {pool.Exported}; head -c 4096 /dev/zero >{pool.Exported}/foreign; chmod 600 {pool.Exported}/foreign");
        await DoneAsync(pool, Create(name, "made"));
        Assert.Equal("nobody", host.Shell($"stat -c %U {pool.Exported}/made").Trim());
        var end = await DoneAsync(pool, new RefreshPool(null, name));
        var seen = host.Events.Where(told => told.CommandId == end.CommandId && told.Type == nameof(VolumesObserved))
            .SelectMany(told => told.Read<VolumesObserved>().Volumes).ToDictionary(volume => volume.Name);
        Assert.Null(seen["made"].Problem);
        Assert.NotNull(seen["foreign"].Problem);
        await DoneAsync(pool, new DeleteVolume(null, name, "made"));
        await DoneAsync(pool, new StopPool(null, name));
    }

    [Theory]
    [InlineData("3")]
    [InlineData("4.1")]
    public async Task A_pool_whose_server_is_gone_is_inaccessible_and_holds_up_no_other_and_is_usable_when_it_is_back(string version)
    {
        using var pool = new NfsPool(host, version);
        using var other = new DirectoryPool(host);
        var name = pool.Definition.Name!;
        await DoneAsync(pool, new BuildPool(null, name));
        await DoneAsync(pool, new StartPool(null, name));
        await DoneAsync(other, new BuildPool(null, name));
        await DoneAsync(other, new StartPool(null, name));
        LabNfsServer.Stop(host);
        try
        {
            var refresh = ErrorAsync(pool, new RefreshPool(null, name));
            for (var i = 0; i < 5; i++)
                await DoneAsync(other, Create(name, $"volume-{i}"));
            Assert.False(refresh.IsCompleted);
            var error = await refresh;
            Assert.Equal((ErrorCodes.Timeout, true), (error.Code, error.Retryable));
            var change = host.Events.Where(told => told.Type == nameof(PoolStateChanged)).Select(told => told.Read<PoolStateChanged>())
                .Last(change => change.PoolId == pool.Definition.Uuid);
            Assert.Equal(PoolState.Inaccessible, change.State);
            Assert.Equal(nameof(OperationFailed), (await host.RunAsync(pool.Definition, Create(name, "lost"))).Type);
        }
        finally
        {
            LabNfsServer.StartAgain(host);
        }
        while ((await host.RunAsync(pool.Definition, new RefreshPool(null, name))).Type != nameof(OperationSucceeded))
        {
        }
        await DoneAsync(pool, Create(name, "after"));
        await DoneAsync(pool, new StopPool(null, name));
        Assert.False(host.IsMounted(pool.Target));
    }

    [Fact]
    public async Task A_pool_whose_server_is_gone_does_not_stop_for_ever()
    {
        using var pool = new NfsPool(host, "4.1");
        var name = pool.Definition.Name!;
        await DoneAsync(pool, new BuildPool(null, name));
        await DoneAsync(pool, new StartPool(null, name));
        LabNfsServer.Stop(host);
        try
        {
            await host.RunAsync(pool.Definition, new StopPool(null, name));
        }
        finally
        {
            LabNfsServer.StartAgain(host);
        }
        await DoneAsync(pool, new StopPool(null, name));
        Assert.False(host.IsMounted(pool.Target));
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static CreateVolume Create(string pool, string name) => new(null, pool, new VolumeDefinition { Name = name, Capacity = 4096, Format = "raw" });

    private async Task<StorageEvent> DoneAsync(PoolUnderTest pool, ICommand command)
    {
        var end = await host.RunAsync(pool.Definition, command);
        Assert.True(end.Type == nameof(OperationSucceeded), $"{command}: {end.Data}");
        return end;
    }

    private async Task<StorageError> ErrorAsync(PoolUnderTest pool, ICommand command)
    {
        var end = await host.RunAsync(pool.Definition, command);
        Assert.True(end.Type == nameof(OperationFailed), $"{command}: {end.Type}");
        return end.Read<OperationFailed>().Error;
    }
}
