using System.Text.Json;
using Storage.Worker;
using Xunit;

namespace Storage.HostTests;

/// <summary>What the run that <see cref="HeldRun"/> starts does.</summary>
public sealed class HoldingRun
{
    /// <summary>Names the file in which it tells what it has.</summary>
    internal const string Told = "STORAGE_HELD_RUN";

    [Fact(Explicit = true)]
    public async Task It_holds_what_it_has()
    {
        if (Environment.GetEnvironmentVariable(Told) is not { } told)
            throw Requires.Missing($"it is started by another test, with {Told}");
        await Task.WhenAll(Clusters.Ceph, Clusters.Gluster, Clusters.Iscsi);
        var (ceph, gluster, iscsi) = (await Clusters.Ceph, await Clusters.Gluster, await Clusters.Iscsi);
        await RealTools.RunAsync(ceph.AsClient("create", $"{CephCluster.Pool}/of-the-other-run", "--size", "1M"));
        var target = Directory.CreateDirectory(Path.Combine(gluster.Folder, "at")).FullName;
        await RealTools.RunAsync(Mounter.Command(Mounter.MountTool, ["-t", "glusterfs", $"{GlusterCluster.Address}:/{await gluster.CreateVolumeAsync()}", target]));
        var image = Path.Combine(iscsi.Folder, "1-1.img");
        HostProgram.Run("losetup", "--find", image);
        var holdings = new Holdings(GlusterCluster.Address, [ceph.Folder, gluster.Folder, iscsi.Folder]);
        await File.WriteAllTextAsync(told + "~", JsonSerializer.Serialize(holdings), TestContext.Current.CancellationToken);
        File.Move(told + "~", told);
        // Until the one that started it has gone, should it not come to kill it.
        await Console.In.ReadToEndAsync(TestContext.Current.CancellationToken);
    }
}
