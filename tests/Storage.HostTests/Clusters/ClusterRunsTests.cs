using Storage.Worker;
using Xunit;

namespace Storage.HostTests;

/// <summary>Runs of the tests beside one another, and what is left of one.</summary>
[Trait("needs", "clusters")]
public sealed class ClusterRunsTests
{
    [Fact]
    public async Task Two_runs_have_clusters_of_their_own_and_the_end_of_one_does_not_touch_the_other()
    {
        var starting = HeldRun.WithClustersAsync();
        await Task.WhenAll(starting, Clusters.Ceph, Clusters.Gluster, Clusters.Iscsi);
        var (other, ceph, gluster) = (await starting, await Clusters.Ceph, await Clusters.Gluster);
        await WorkAsync();
        Assert.DoesNotContain("of-the-other-run", await RealTools.PrintedAsync(ceph.AsClient("ls", CephCluster.Pool)), StringComparison.Ordinal);
        await other.KillAsync();
        await other.Has.GoneAsync();
        await WorkAsync();

        async Task WorkAsync()
        {
            await RealTools.RunAsync(ceph.AsClient("create", $"{CephCluster.Pool}/work", "--size", "1M"));
            await RealTools.RunAsync(ceph.AsClient("rm", "--no-progress", $"{CephCluster.Pool}/work"));
            await gluster.DeleteVolumeAsync(await gluster.CreateVolumeAsync());
            await RealTools.RunAsync(new HostCommand("iscsi-inq", IscsiTarget.Url(IscsiTarget.Open, 1)));
        }
    }

    [Fact]
    public async Task A_run_that_is_killed_leaves_no_program_mount_loop_device_or_folder()
    {
        var run = await HeldRun.WithClustersAsync();
        var found = run.Has.Found();
        foreach (var what in new[] { "program ceph-mon", "program ceph-mgr", "program ceph-osd", "program glusterd", "program glusterfsd", "program glusterfs", "program tgtd" })
            Assert.Contains(what, found);
        // Of a volume of Gluster and of a pool's device, and that of the pool.
        Assert.Equal(2, found.Count(thing => thing.StartsWith("mount ", StringComparison.Ordinal)));
        Assert.Contains(found, thing => thing.StartsWith("loop ", StringComparison.Ordinal) && thing.EndsWith("/device", StringComparison.Ordinal));
        await run.KillAsync();
        await run.Has.GoneAsync();
    }
}
