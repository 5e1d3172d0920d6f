using System.Diagnostics;
using Xunit;

namespace Storage.HostTests;

/// <summary>What <c>infra/record --clusters</c> runs: the clusters, and the recorder with them.</summary>
public sealed class RecordingRun
{
    [Fact(Explicit = true)]
    public async Task Clients_of_clusters_are_recorded()
    {
        await Task.WhenAll(Clusters.Ceph, Clusters.Gluster, Clusters.Iscsi);
        var gluster = await Clusters.Gluster;
        await gluster.CreateVolumeAsync();
        using var recorder = Process.Start(new ProcessStartInfo(Path.Combine(Root(AppContext.BaseDirectory), "infra", "record"))
        {
            Environment =
            {
                ["STORAGE_RECORD_CEPH"] = $"{(await Clusters.Ceph).Settings} {CephCluster.Pool}",
                ["STORAGE_RECORD_GLUSTER"] = GlusterCluster.Address,
                ["STORAGE_RECORD_ISCSI"] = $"{IscsiTarget.Portal} {IscsiTarget.Open} {IscsiTarget.Closed} {IscsiTarget.User} {IscsiTarget.Password}",
            },
        })!;
        await recorder.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, recorder.ExitCode);
    }

    private static string Root(string folder) => File.Exists(Path.Combine(folder, "Storage.sln")) ? folder : Root(Path.GetDirectoryName(folder)!);
}
