using System.Text.Json;
using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.HostTests;

/// <summary>What the run that <see cref="HeldRun"/> starts does.</summary>
public sealed class HoldingRun
{
    /// <summary>Names the file in which it tells what it has.</summary>
    internal const string Told = "STORAGE_HELD_RUN";

    [Fact(Explicit = true)]
    public async Task It_holds_clusters_and_a_pool()
    {
        await Task.WhenAll(Clusters.Ceph, Clusters.Gluster, Clusters.Iscsi);
        var (ceph, gluster, iscsi) = (await Clusters.Ceph, await Clusters.Gluster, await Clusters.Iscsi);
        await RealTools.RunAsync(ceph.AsClient("create", $"{CephCluster.Pool}/of-the-other-run", "--size", "1M"));
        var target = Directory.CreateDirectory(Path.Combine(gluster.Folder, "at")).FullName;
        await RealTools.RunAsync(Mounter.Command(Mounter.MountTool, ["-t", "glusterfs", $"{GlusterCluster.Address}:/{await gluster.CreateVolumeAsync()}", target]));
        HostProgram.Run("losetup", "--find", Path.Combine(iscsi.Folder, "1-1.img"));
        await using var host = await ThisMachine.StartAsync();
        using var pool = new DevicePool(host, "ext4");
        await StartAsync(host, pool);
        await HoldAsync();
    }

    [Fact(Explicit = true)]
    public async Task It_holds_a_lab()
    {
        var host = await LabHost.RunningAsync();
        using var pool = new DirectoryPool(host);
        await StartAsync(host, pool);
        await HoldAsync();
    }

    private static async Task StartAsync(HostUnderTest host, PoolUnderTest pool)
    {
        foreach (var command in new ICommand[] { new BuildPool(null, pool.Definition.Name!), new StartPool(null, pool.Definition.Name!) })
            Assert.Equal(nameof(OperationSucceeded), (await host.RunAsync(pool.Definition, command)).Type);
    }

    private static async Task HoldAsync()
    {
        var told = Environment.GetEnvironmentVariable(Told) ?? throw Requires.Missing($"it is started by another test, with {Told}");
        var holdings = new Holdings(GlusterCluster.Address, TestRun.Folder);
        await File.WriteAllTextAsync(told + "~", JsonSerializer.Serialize(holdings), TestContext.Current.CancellationToken);
        File.Move(told + "~", told);
        // Until the one that started it has gone, should it not come to kill it.
        await Console.In.ReadToEndAsync(TestContext.Current.CancellationToken);
    }
}
