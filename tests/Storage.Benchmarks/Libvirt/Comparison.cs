using System.Diagnostics;
using Storage.Benchmarks.Services;

namespace Storage.Benchmarks.Libvirt;

/// <summary>
/// The same work by Storage and by libvirtd of this machine, both started for it, in turns on one file system. It installs nothing, but says
/// what is missing.
/// </summary>
internal static class Comparison
{
    /// <summary>Not counted: connections are opened, and code is compiled, the code that is used most three times.</summary>
    public const int WarmRounds = 3;

    /// <param name="wanted">Only works with one of these in their title; empty is all.</param>
    public static async Task<int> RunAsync(int rounds, IReadOnlyList<string> wanted)
    {
        List<string> missing = [.. LibvirtPeer.Missing(), .. RunningStorage.Missing()];
        if (missing.Count > 0)
        {
            Console.Error.WriteLine(
                $"Missing: {string.Join(", ", missing)}. On Debian: apt-get install --no-install-recommends libvirt-daemon libvirt-daemon-driver-storage-gluster "
                + "libvirt0 qemu-utils rabbitmq-server postgresql; a libvirtd of root is started, beside one that runs.");
            return 1;
        }
        using var folder = new WorkFolder();
        await using var libvirt = await LibvirtPeer.StartAsync();
        await using var storage = await StoragePeer.StartAsync(() => [libvirt.ProcessId]);
        var report = new ComparisonReport(libvirt.Name, storage.Name);
        var works = new Works(folder);
        foreach (var peer in new IPeer[] { libvirt, storage })
            await works.BeginAsync(peer);
        for (var round = -WarmRounds; round < rounds; round++)
        {
            IPeer[] turns = round % 2 == 0 ? [libvirt, storage] : [storage, libvirt];
            foreach (var work in works.All.Where(work => IsWanted(work.Title)))
            {
                foreach (var peer in turns)
                {
                    var cpu = peer.Cpu;
                    var measured = await TellAsync(round, peer, work.Title, () => work.RunAsync(peer, round));
                    if (round >= 0)
                        report.Add(work, peer.Name, measured with { Cpu = peer.Cpu - cpu });
                }
            }
            foreach (var work in works.Delays.Where(work => IsWanted(work.Title)))
            {
                foreach (var peer in turns)
                {
                    var delays = await TellAsync(round, peer, work.Title, () => work.RunAsync(peer, round));
                    if (round >= 0)
                        report.Add(peer.Name, delays);
                }
            }
        }
        report.Write(rounds, folder.FileSystem);
        return 0;

        bool IsWanted(string title) => wanted.Count == 0 || wanted.Any(words => title.Contains(words, StringComparison.Ordinal));
    }

    private static async Task<T> TellAsync<T>(int round, IPeer peer, string title, Func<Task<T>> run)
    {
        var began = Stopwatch.GetTimestamp();
        var result = await run();
        Console.Error.WriteLine($"{round,2} {peer.Name,-9} {Stopwatch.GetElapsedTime(began).TotalSeconds,7:0.00} s  {title}");
        return result;
    }
}
