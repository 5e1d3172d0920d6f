using System.Diagnostics;
using Storage.Worker;
using Xunit;

namespace Storage.HostTests;

/// <summary>What a run of the tests has on this machine.</summary>
/// <param name="Address">Of its servers.</param>
/// <param name="Folder">With all that it makes.</param>
internal sealed record Holdings(string Address, string Folder)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>What there is of it on this machine: programs, mounts, loop devices, the folder.</summary>
    public IReadOnlyList<string> Found() =>
    [
        .. Programs(),
        .. MountTable.Read().Where(entry => entry.Target.StartsWith(Folder, StringComparison.Ordinal) || entry.Source.StartsWith(Address, StringComparison.Ordinal)).Select(entry => $"mount {entry.Target}"),
        .. Directory.EnumerateDirectories("/sys/block", "loop*").Select(device => Read($"{device}/loop/backing_file").TrimEnd()).Where(file => file.StartsWith(Folder, StringComparison.Ordinal)).Select(file => $"loop {file}"),
        .. Directory.Exists(Folder) ? [$"folder {Folder}"] : Array.Empty<string>(),
    ];

    /// <summary>Returns when nothing of it is there any more.</summary>
    public async Task GoneAsync()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        for (var watch = Stopwatch.StartNew(); Found() is { Count: > 0 } left; await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken))
            Assert.True(watch.Elapsed < Patience, $"After {Patience.TotalSeconds} s there are still: {string.Join(", ", left)}");
    }

    private static string Read(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    /// <summary>Those that were called with its folder or address, and those that were started for it without either.</summary>
    private IEnumerable<string> Programs() =>
        from process in Directory.EnumerateDirectories("/proc")
        where char.IsAsciiDigit(Path.GetFileName(process)[0])
        let words = Read($"{process}/cmdline")
        where words.Contains(Address, StringComparison.Ordinal) || words.Contains(Folder, StringComparison.Ordinal)
            || words.Length > 0 && Read($"{process}/environ").Contains($"{GuardedFolder.Mark}={Folder}", StringComparison.Ordinal)
        select $"program {Path.GetFileName(words.Split('\0', ':', ' ')[0])}";
}
