using System.Diagnostics;
using System.Globalization;
using Storage.Benchmarks.Libvirt;

namespace Storage.Benchmarks.Services;

/// <summary>
/// Where the processor time of commands goes: what each service, the broker and the database take for one, and what each service allocates, in
/// several rounds on a fleet of this machine's own.
/// </summary>
internal static class ServiceCosts
{
    private const int Count = 2000;
    private const int InFlight = 64;
    private const int Files = 10_000;

    /// <summary>Define, build, start, stop, undefine.</summary>
    private const int CommandsPerCycle = 5;

    public static async Task<int> RunAsync(int rounds)
    {
        if (!RunningStorage.CanStart())
            return 1;
        await using var peer = await StoragePeer.StartAsync(() => []);
        string Folder(string name) => peer.Storage.Fleet.PoolPath(name);
        var pool = await peer.CreatePoolAsync("work", Folder("work"));
        Console.WriteLine($"{Environment.ProcessorCount} processors; {Count} sparse raw volumes, {InFlight} in flight; µs of processor time and KiB allocated for a command, or for a file that is found");
        for (var round = -1; round < rounds; round++)
        {
            List<NewVolume> volumes = [.. Enumerable.Range(0, Count).Select(i => new NewVolume($"volume-{round}-{i:0000}", "raw", 1 << 20))];
            await MeasureAsync(peer, round, "create", () => pool.CreateAsync(volumes, InFlight));
            await MeasureAsync(peer, round, "delete", () => pool.DeleteAsync([.. volumes.Select(volume => volume.Name)], InFlight));
            await MeasureAsync(peer, round, "create together", () => pool.CreateTogetherAsync(volumes));
            await MeasureAsync(peer, round, "delete together", () => pool.DeleteTogetherAsync([.. volumes.Select(volume => volume.Name)]));
            List<(string, string)> cycled = [.. Enumerable.Range(0, Count / CommandsPerCycle).Select(i => ($"cycle-{round}-{i}", Folder($"cycle-{round}-{i}")))];
            await MeasureAsync(peer, round, "pools", () => peer.CyclePoolsAsync(cycled, clients: 8));
            var files = Folder($"files-{round}");
            SampleFiles.Make(files, "raw", Files);
            await MeasureAsync(peer, round, "find", () => peer.CreatePoolAsync($"files-{round}", files), Files);
        }
        return 0;
    }

    /// <summary>Does the work, and unless the round is one that is not counted says what each part took for one of so many.</summary>
    public static async Task MeasureAsync(StoragePeer peer, int round, string title, Func<Task> work, int count = Count)
    {
        var (before, began) = (await PartCosts.ReadAsync(peer.Storage), Stopwatch.GetTimestamp());
        await work();
        var (wall, taken) = (Stopwatch.GetElapsedTime(began), (await PartCosts.ReadAsync(peer.Storage)).Since(before));
        if (round < 0)
            return;
        var parts = taken.Select(part => string.Create(
            CultureInfo.InvariantCulture,
            $"{part.Name} {part.Cpu.TotalMicroseconds / count:0}{(part.Bytes is { } bytes ? string.Create(CultureInfo.InvariantCulture, $" ({bytes / count / 1024:0} KiB)") : "")}"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{title,-17} {count / wall.TotalSeconds,6:0}/s  {string.Join(", ", parts)}"));
    }
}
