using System.Diagnostics;

namespace Storage.Benchmarks.Libvirt;

/// <summary>
/// The same work by Storage and by libvirtd of this machine, both started for it, in turns on one file system. It installs nothing, but says
/// what is missing.
/// </summary>
internal static class Comparison
{
    /// <param name="wanted">Only works with one of these in their title; empty is all.</param>
    public static async Task<int> RunAsync(int rounds, IReadOnlyList<string> wanted)
    {
        List<string> missing = [.. LibvirtPeer.Missing(), .. StoragePeer.Missing()];
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
        var chosen = works.All.Where(work => wanted.Count == 0 || wanted.Any(words => work.Title.Contains(words, StringComparison.Ordinal))).ToList();
        foreach (var peer in new IPeer[] { libvirt, storage })
            await works.BeginAsync(peer);
        // A round that is not counted: code is compiled, connections are opened.
        for (var round = -1; round < rounds; round++)
        {
            foreach (var work in chosen)
            {
                foreach (var peer in round % 2 == 0 ? new IPeer[] { libvirt, storage } : [storage, libvirt])
                {
                    var (cpu, wall) = (peer.Cpu, Stopwatch.GetTimestamp());
                    var measured = await work.RunAsync(peer, round);
                    Console.Error.WriteLine($"{round,2} {peer.Name,-9} {Stopwatch.GetElapsedTime(wall).TotalSeconds,7:0.00} s  {work.Title}");
                    if (round >= 0)
                        report.Add(work, peer.Name, measured with { Cpu = peer.Cpu - cpu });
                }
            }
        }
        report.Write(Path.Combine(Environment.CurrentDirectory, "artifacts", "benchmarks"), rounds);
        return 0;
    }
}
