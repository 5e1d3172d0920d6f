namespace Storage.HostTests;

/// <summary>
/// The clusters of this run of the tests, real servers in user space. Each is started when it is first asked for, beside the others, and
/// ends with the run.
/// </summary>
internal sealed class Clusters : IAsyncDisposable
{
    private static readonly Lazy<Task<CephCluster>> LazyCeph = new(() => Task.Run(CephCluster.StartAsync));
    private static readonly Lazy<Task<GlusterCluster>> LazyGluster = new(() => Task.Run(GlusterCluster.StartAsync));
    private static readonly Lazy<Task<IscsiTarget>> LazyIscsi = new(() => Task.Run(IscsiTarget.StartAsync));

    public static Task<CephCluster> Ceph => LazyCeph.Value;

    public static Task<GlusterCluster> Gluster => LazyGluster.Value;

    public static Task<IscsiTarget> Iscsi => LazyIscsi.Value;

    public async ValueTask DisposeAsync()
    {
        await EndAsync(LazyCeph);
        await EndAsync(LazyGluster);
        await EndAsync(LazyIscsi);
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
