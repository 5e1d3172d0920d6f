using System.Collections.Concurrent;
using System.Diagnostics;
using Storage.Benchmarks.Services;

namespace Storage.Benchmarks.Libvirt;

/// <summary>
/// A libvirtd of this machine's packages: socket, configuration, state and run folders of its own, by a mount namespace since a libvirtd of
/// root knows no others. Each client has a connection of its own, as each program that uses libvirt does.
/// </summary>
internal sealed class LibvirtPeer : IPeer
{
    private const string Start = """
        for folder in /etc/libvirt /run/libvirt /var/lib/libvirt /var/cache/libvirt; do
          mkdir -p "$folder" && mount -t tmpfs tmpfs "$folder"
        done
        # Other drivers than that of storage need users and programs which only their own packages bring.
        mkdir "$1/drivers"
        ln -s "$(find /usr/lib -path '*/libvirt/connection-driver/libvirt_driver_storage.so')" "$1/drivers/"
        LIBVIRT_DRIVER_DIR="$1/drivers" exec libvirtd --config "$1/libvirtd.conf" --pid-file "$1/pid"
        """;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly string folder = Directory.CreateTempSubdirectory("storage-libvirt-").FullName;
    private readonly ConcurrentStack<nint> connections = [];
    private readonly Process process;

    private LibvirtPeer()
    {
        var socket = Directory.CreateDirectory(Path.Combine(folder, "socket")).FullName;
        File.WriteAllText(Path.Combine(folder, "libvirtd.conf"), $"""
            unix_sock_dir = "{socket}"
            auth_unix_ro = "none"
            auth_unix_rw = "none"
            max_clients = 100
            max_workers = 20
            log_outputs = "4:file:{folder}/log"

            """);
        Uri = $"storage:///system?socket={socket}/libvirt-sock";
        process = Process.Start(new ProcessStartInfo(
            "unshare", ["--mount", "--propagation", "private", "--fork", "--kill-child", "sh", "-euc", Start, "libvirtd", folder]))!;
    }

    public string Name => "libvirtd";

    public TimeSpan Cpu => ProcessTree.Cpu([process.Id]);

    public int ProcessId => process.Id;

    private string Uri { get; }

    /// <summary>What must be installed for it; empty when it can be started.</summary>
    public static IReadOnlyList<string> Missing() =>
    [
        .. Environment.IsPrivilegedProcess ? Array.Empty<string>() : ["root"],
        .. File.Exists("/usr/sbin/libvirtd") ? Array.Empty<string>() : ["libvirt-daemon"],
        .. File.Exists("/usr/lib/x86_64-linux-gnu/libvirt/connection-driver/libvirt_driver_storage.so") || LibvirtClient.IsInstalled
            ? Array.Empty<string>() : ["libvirt0"],
    ];

    public static async Task<LibvirtPeer> StartAsync()
    {
        var peer = new LibvirtPeer();
        for (var watch = Stopwatch.StartNew(); ; await Task.Delay(100))
        {
            try
            {
                peer.connections.Push(LibvirtClient.Connect(peer.Uri));
                return peer;
            }
            catch (InvalidOperationException) when (watch.Elapsed < Patience && !peer.process.HasExited)
            {
                // It is still starting.
            }
        }
    }

    public Task<IPeerPool> CreatePoolAsync(string name, string path)
    {
        With(connection =>
        {
            var pool = LibvirtClient.DefinePool(connection, PoolXml(name, path));
            LibvirtClient.BuildPool(pool);
            LibvirtClient.StartPool(pool);
            _ = LibvirtClient.FreePool(pool);
        });
        return Task.FromResult<IPeerPool>(new Pool(this, name));
    }

    public Task CyclePoolsAsync(IReadOnlyList<(string Name, string Path)> pools, int clients) => ForEachAsync(
        pools, clients,
        (connection, taken) =>
        {
            foreach (var row in taken)
            {
                var pool = LibvirtClient.DefinePool(connection, PoolXml(row.Name, row.Path));
                LibvirtClient.BuildPool(pool);
                LibvirtClient.StartPool(pool);
                LibvirtClient.StopPool(pool);
                LibvirtClient.UndefinePool(pool);
            }
        });

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in connections)
            _ = LibvirtClient.Close(connection);
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private static string PoolXml(string name, string path) => $"<pool type='dir'><name>{name}</name><target><path>{path}</path></target></pool>";

    private static string VolumeXml(NewVolume volume) =>
        $"<volume><name>{volume.Name}</name><capacity>{volume.Capacity}</capacity><allocation>0</allocation><target><format type='{volume.Format}'/></target></volume>";

    private void With(Action<nint> use)
    {
        var connection = connections.TryPop(out var idle) ? idle : LibvirtClient.Connect(Uri);
        try
        {
            use(connection);
        }
        finally
        {
            connections.Push(connection);
        }
    }

    /// <summary>Each client takes the next as soon as it is done with one.</summary>
    /// <param name="use">Has a connection to itself; calls what it is given for one item after the other.</param>
    private async Task ForEachAsync<T>(IReadOnlyList<T> items, int clients, Action<nint, IEnumerable<T>> use)
    {
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, clients).Select(_ => Task.Factory.StartNew(
            () => With(connection => use(connection, Taken())), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));

        IEnumerable<T> Taken()
        {
            while (Interlocked.Increment(ref next) is var at && at < items.Count)
                yield return items[at];
        }
    }

    private sealed class Pool(LibvirtPeer peer, string name) : IPeerPool
    {
        public async Task<IReadOnlyCollection<TimeSpan>> CreateAsync(IReadOnlyList<NewVolume> volumes, int clients)
        {
            var took = new ConcurrentQueue<TimeSpan>();
            await ForEachAsync(volumes, clients, (pool, volume) =>
            {
                var began = Stopwatch.GetTimestamp();
                LibvirtClient.CreateVolume(pool, VolumeXml(volume));
                took.Enqueue(Stopwatch.GetElapsedTime(began));
            });
            return took;
        }

        /// <summary>It has no call for several.</summary>
        public Task CreateTogetherAsync(IReadOnlyList<NewVolume> volumes) => CreateAsync(volumes, 8);

        /// <summary>Its events are of pools.</summary>
        public Task<CreatedOnSchedule?> CreateOnScheduleAsync(IReadOnlyList<NewVolume> volumes, int perSecond) => Task.FromResult<CreatedOnSchedule?>(null);

        public Task DeleteAsync(IReadOnlyList<string> names, int clients) =>
            ForEachAsync(names, clients, LibvirtClient.DeleteVolume);

        /// <summary>As for those that are made.</summary>
        public Task DeleteTogetherAsync(IReadOnlyList<string> names) => DeleteAsync(names, 8);

        public Task CloneAsync(string source, NewVolume target, bool reflink) =>
            OnceAsync(pool => LibvirtClient.CloneVolume(pool, VolumeXml(target), source, reflink));

        public async Task<TimeSpan?> RefreshAsync()
        {
            var watch = Stopwatch.StartNew();
            await OnceAsync(LibvirtClient.RefreshPool);
            return watch.Elapsed;
        }

        public Task ReadAsync(IReadOnlyList<string> names, int clients) =>
            ForEachAsync(names, clients, LibvirtClient.ReadVolume);

        public async Task<int> ListAsync()
        {
            var count = 0;
            await OnceAsync(pool => count = LibvirtClient.ListVolumes(pool));
            return count;
        }

        public ValueTask DisposeAsync() => new(OnceAsync(LibvirtClient.StopPool));

        private Task ForEachAsync<T>(IReadOnlyList<T> items, int clients, Action<nint, T> action) => peer.ForEachAsync(
            items, clients,
            (connection, taken) => With(connection, pool =>
            {
                foreach (var item in taken)
                    action(pool, item);
            }));

        private Task OnceAsync(Action<nint> use) => Task.Run(() => peer.With(connection => With(connection, use)));

        private void With(nint connection, Action<nint> use)
        {
            var pool = LibvirtClient.FindPool(connection, name);
            try
            {
                use(pool);
            }
            finally
            {
                _ = LibvirtClient.FreePool(pool);
            }
        }
    }
}
