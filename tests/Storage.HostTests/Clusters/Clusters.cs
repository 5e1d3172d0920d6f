using System.Diagnostics;

namespace Storage.HostTests;

/// <summary>
/// The clusters of this run of the tests, real servers in user space. Each is started when it is first asked for, beside the others, and
/// ends with the run.
/// </summary>
internal static class Clusters
{
    private static readonly Lazy<Task<CephCluster>> LazyCeph = new(() => Task.Run(() => TimedAsync("Ceph", CephCluster.StartAsync)));
    private static readonly Lazy<Task<GlusterCluster>> LazyGluster = new(() => Task.Run(() => TimedAsync("Gluster", GlusterCluster.StartAsync)));
    private static readonly Lazy<Task<IscsiTarget>> LazyIscsi = new(() => Task.Run(() => TimedAsync("the iSCSI target", IscsiTarget.StartAsync)));

    public static Task<CephCluster> Ceph => LazyCeph.Value;

    public static Task<GlusterCluster> Gluster => LazyGluster.Value;

    public static Task<IscsiTarget> Iscsi => LazyIscsi.Value;

    /// <summary>Begins to start all of them. What fails is told to those who ask.</summary>
    public static void StartAll() => _ = Task.WhenAll(Ceph, Gluster, Iscsi);

    public static Task EndAsync() => Task.WhenAll(EndAsync(LazyCeph), EndAsync(LazyGluster), EndAsync(LazyIscsi));

    private static async Task<T> TimedAsync<T>(string name, Func<Task<T>> start)
    {
        var watch = Stopwatch.StartNew();
        var cluster = await start();
        RunNotes.Add($"{name} was up in {watch.Elapsed.TotalSeconds:0.0} s");
        return cluster;
    }

    private static async Task EndAsync<T>(Lazy<Task<T>> cluster)
        where T : IAsyncDisposable
    {
        if (!cluster.IsValueCreated)
            return;
        await Task.WhenAny(cluster.Value);
        if (cluster.Value.IsCompletedSuccessfully)
            await cluster.Value.Result.DisposeAsync();
    }
}
