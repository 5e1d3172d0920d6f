using Storage.Benchmarks.Libvirt;

namespace Storage.Benchmarks.Services;

/// <summary>Where the processor time of reads over HTTP goes, on a fleet of this machine's own with a pool of many volumes.</summary>
internal static class ReadCosts
{
    private const int Volumes = 10_000;
    private const int Reads = 5000;
    private const int Times = 5;

    public static async Task<int> RunAsync(int rounds)
    {
        if (!RunningStorage.CanStart())
            return 1;
        await using var peer = await StoragePeer.StartAsync(() => []);
        var path = peer.Storage.Fleet.PoolPath("read");
        SampleFiles.Make(path, "raw", Volumes);
        var pool = await peer.CreatePoolAsync("read", path);
        List<string> names = [.. Enumerable.Range(0, Reads).Select(i => $"volume-{i:000000}")];
        Console.WriteLine($"{Environment.ProcessorCount} processors; a pool of {Volumes} volumes; µs of processor time and KiB allocated for a volume");
        for (var round = -1; round < rounds; round++)
        {
            foreach (var clients in new[] { 8, 64 })
                await ServiceCosts.MeasureAsync(peer, round, $"read, {clients} clients", () => TimesAsync(() => pool.ReadAsync(names, clients)), Reads * Times);
            await ServiceCosts.MeasureAsync(peer, round, "list", () => TimesAsync(() => pool.ListAsync()), Volumes * Times);
        }
        return 0;
    }

    /// <summary>Long enough for the hundredths of a second that the kernel counts in.</summary>
    private static async Task TimesAsync(Func<Task> work)
    {
        for (var i = 0; i < Times; i++)
            await work();
    }
}
