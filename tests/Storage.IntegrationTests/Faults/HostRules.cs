using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Xunit;

namespace Storage.IntegrationTests;

/// <summary>What the inventory says of a pool is what is on the host: each rule gives what does not hold.</summary>
public sealed class HostRules(StorageClient client, FaultPool pool)
{
    /// <summary>Others use the file system too: what is free moves meanwhile by so much of its size.</summary>
    private const int Movement = 1000;
    private const long LeastMovement = 1 << 20;

    /// <summary>The volumes listed are the files that lie there, hidden and temporary ones too, and as long.</summary>
    public async Task<IReadOnlyList<string>> VolumesAsync(string when)
    {
        var violations = new List<string>();
        var volumes = await ListedAsync();
        var listed = volumes.Select(StorageUnderTest.Name).ToArray();
        var lying = StorageUnderTest.FilesIn(pool.Path);
        if (!listed.SequenceEqual(lying))
            violations.Add($"Pool {pool.Name} {when}: only listed: {string.Join(' ', listed.Except(lying))}; only on disk: {string.Join(' ', lying.Except(listed))}");
        foreach (var volume in volumes.Where(volume => lying.Contains(StorageUnderTest.Name(volume)) && IsPlain(volume)))
        {
            var length = new FileInfo(Path.Combine(pool.Path, StorageUnderTest.Name(volume))).Length;
            var capacity = volume.GetProperty("capacity").GetInt64();
            if (capacity != length)
                violations.Add($"Volume {StorageUnderTest.Name(volume)} of {pool.Name} {when}: capacity {capacity}, length {length}.");
        }
        return violations;
    }

    /// <summary>After a refresh: the pool's room is its file system's, and each volume takes what its blocks take.</summary>
    public async Task<IReadOnlyList<string>> RoomAsync()
    {
        var violations = new List<string>();
        // What is only in memory has no blocks yet.
        await RunAsync("sync", "-f", pool.Path);
        var before = Room.Of(pool.Path);
        await client.PostAsync($"/v1/pools/{pool.Name}/refresh");
        var view = await client.ReadAsync($"/v1/pools/{pool.Name}");
        var after = Room.Of(pool.Path);
        if (view.GetProperty("capacity").GetInt64() != after.Total)
            violations.Add($"Pool {pool.Name}: capacity {view.GetProperty("capacity")}, file system {after.Total}.");
        var movement = Math.Max(after.Total / Movement, LeastMovement);
        foreach (var (what, from, to) in new[] { ("allocation", before.Taken, after.Taken), ("available", before.Available, after.Available) })
        {
            var said = view.GetProperty(what).GetInt64();
            if (said < Math.Min(from, to) - movement || said > Math.Max(from, to) + movement)
                violations.Add($"Pool {pool.Name}: {what} {said}, file system from {from} to {to}.");
        }
        var blocks = await BlocksAsync();
        foreach (var volume in await ListedAsync())
        {
            var (name, allocation) = (StorageUnderTest.Name(volume), volume.GetProperty("allocation").GetInt64());
            if (blocks.TryGetValue(name, out var taken) && taken != allocation)
                violations.Add($"Volume {name} of {pool.Name}: allocation {allocation}, blocks {taken}.");
        }
        return violations;
    }

    private Task<IReadOnlyList<JsonElement>> ListedAsync() => client.ReadAllAsync($"/v1/pools/{pool.Name}/volumes", 1000);

    /// <summary>What a guest sees is the file, from end to end.</summary>
    private static bool IsPlain(JsonElement volume) => volume.GetProperty("format").GetString() == "raw"
        && !(volume.TryGetProperty("encryption", out var encryption) && encryption.ValueKind == JsonValueKind.Object);

    /// <summary>By the names of the files, the bytes of their blocks.</summary>
    private async Task<Dictionary<string, long>> BlocksAsync()
    {
        var files = Directory.GetFiles(pool.Path);
        var said = files.Length == 0 ? "" : await RunAsync("stat", ["--format=%b %B %n", "--", .. files]);
        return said.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ', 3)).ToDictionary(
            parts => Path.GetFileName(parts[2]),
            parts => long.Parse(parts[0], CultureInfo.InvariantCulture) * long.Parse(parts[1], CultureInfo.InvariantCulture));
    }

    private static async Task<string> RunAsync(string program, params IEnumerable<string> arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var said = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return said;
    }

    private sealed record Room(long Total, long Taken, long Available)
    {
        public static Room Of(string path)
        {
            var drive = new DriveInfo(path);
            return new Room(drive.TotalSize, drive.TotalSize - drive.TotalFreeSpace, drive.AvailableFreeSpace);
        }
    }
}
