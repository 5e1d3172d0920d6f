using System.Text.Json;
using Storage.Contracts;

namespace Storage.IntegrationTests;

/// <summary>What must hold when all is quiet again: over the event log, the inventory, the host and the logs of the services.</summary>
public sealed class FaultChecker(Fleet fleet, IReadOnlyList<FaultPool> pools)
{
    private static readonly HashSet<string> Terminal =
        [nameof(OperationSucceeded), nameof(OperationFailed), nameof(OperationCancelled), nameof(OperationExpired)];

    private readonly List<string> violations = [];

    /// <param name="accepted">The operations that clients were promised.</param>
    /// <returns>What does not hold.</returns>
    public async Task<IReadOnlyList<string>> CheckAsync(IReadOnlyDictionary<Guid, string> accepted)
    {
        // The services go on looking at their pools by themselves: what they have begun since it was quiet ends too.
        var begun = await OperationsAsync();
        foreach (var (id, _) in begun.Where(operation => operation.Value.GetProperty("state").GetString() is "queued" or "dispatched" or "running"))
            await fleet.Client.EndOfAsync(id);
        CheckLog(await fleet.Client.ReadEventsAsync(), accepted, begun, await OperationsAsync());
        foreach (var pool in pools.Where(pool => !pool.Rough))
            await CheckPoolAsync(pool, "without a refresh");
        foreach (var pool in pools)
        {
            await StartAsync(pool);
            await fleet.Client.PostAsync($"/v1/pools/{pool.Name}/refresh");
            await CheckPoolAsync(pool, "after a refresh");
        }
        CheckVolumes(await fleet.Client.ReadEventsAsync());
        await CheckRebuildAsync();
        await CheckSecretsAsync();
        return violations;
    }

    private void CheckLog(IReadOnlyList<StorageEvent> events, IReadOnlyDictionary<Guid, string> accepted,
        IReadOnlyDictionary<Guid, JsonElement> begun, IReadOnlyDictionary<Guid, JsonElement> known)
    {
        for (var i = 0; i < events.Count; i++)
            Require(events[i].Sequence == i + 1, $"The event log has {events[i].Sequence} at place {i + 1}.");
        Require(events.DistinctBy(entry => entry.EventId).Count() == events.Count, "An event is logged twice.");
        foreach (var resource in events.GroupBy(entry => entry.Resource))
        {
            var revisions = resource.Select(entry => entry.Revision).ToList();
            Require(revisions.Zip(revisions.Skip(1)).All(pair => pair.First < pair.Second), $"The revisions of {resource.Key} do not rise: {string.Join(' ', revisions)}");
        }
        var ends = events.Where(entry => Terminal.Contains(entry.Type)).ToLookup(entry => entry.Data.GetProperty("operationId").GetGuid());
        foreach (var (id, what) in accepted)
            Require(known.ContainsKey(id), $"{what} was accepted as {id}, which nobody knows.");
        foreach (var (id, operation) in begun)
        {
            var count = ends[id].Count();
            Require(count == 1, $"Operation {id} ({operation.GetProperty("command").GetString()}, {operation.GetProperty("state").GetString()}) has {count} ends.");
        }
        foreach (var end in ends)
            Require(known.ContainsKey(end.Key), $"{end.Key} has an end and is no operation.");
    }

    private async Task<IReadOnlyDictionary<Guid, JsonElement>> OperationsAsync() =>
        (await fleet.Client.ReadAllAsync("/v1/operations", 1000)).ToDictionary(operation => operation.GetProperty("id").GetGuid());

    /// <summary>What the inventory lists is what lies there, hidden and temporary files too.</summary>
    private async Task CheckPoolAsync(FaultPool pool, string when)
    {
        var volumes = await fleet.Client.ReadAllAsync($"/v1/pools/{pool.Name}/volumes", 1000);
        var listed = volumes.Select(StorageUnderTest.Name).ToArray();
        var lying = StorageUnderTest.FilesIn(pool.Path);
        Require(listed.SequenceEqual(lying),
            $"Pool {pool.Name} {when}: only listed: {string.Join(' ', listed.Except(lying))}; only on disk: {string.Join(' ', lying.Except(listed))}");
        foreach (var volume in volumes.Where(volume => lying.Contains(StorageUnderTest.Name(volume))))
        {
            var length = new FileInfo(Path.Combine(pool.Path, StorageUnderTest.Name(volume))).Length;
            var raw = volume.GetProperty("format").GetString() == "raw";
            var capacity = volume.GetProperty("capacity").GetInt64();
            Require(!raw || capacity == length, $"Volume {StorageUnderTest.Name(volume)} of {pool.Name} {when}: capacity {capacity}, length {length}.");
        }
        var view = await fleet.Client.ReadAsync($"/v1/pools/{pool.Name}");
        var total = new DriveInfo(pool.Path).TotalSize;
        Require(view.GetProperty("capacity").GetInt64() == total, $"Pool {pool.Name} {when}: capacity {view.GetProperty("capacity")}, file system {total}.");
    }

    /// <summary>Nothing is made that is there, and nothing is removed that is not.</summary>
    private void CheckVolumes(IReadOnlyList<StorageEvent> events)
    {
        var there = new HashSet<string>(StringComparer.Ordinal);
        foreach (var entry in events)
        {
            if (entry.Type is nameof(VolumeCreated) or nameof(VolumeAppeared))
                Require(there.Add(entry.Resource), $"{entry.Type} #{entry.Sequence} of {entry.Resource}, which is there already.");
            else if (entry.Type is nameof(VolumeDeleted) or nameof(VolumeVanished))
                Require(there.Remove(entry.Resource), $"{entry.Type} #{entry.Sequence} of {entry.Resource}, which is not there.");
        }
    }

    private async Task CheckRebuildAsync()
    {
        var (before, after) = (new List<string>(), new List<string>());
        for (var (log, then) = (-1L, 0L); log != then;)
        {
            // What comes in between, such as a refresh by the service itself, would be a difference.
            log = await LastEventAsync();
            before = await SnapshotAsync();
            await fleet.Inventory.RunAsync("rebuild");
            after = await SnapshotAsync();
            then = await LastEventAsync();
        }
        Require(before.SequenceEqual(after),
            $"The inventory that is rebuilt from the log is another one:\n{string.Join('\n', before.Except(after).Take(3))}\nbecame\n{string.Join('\n', after.Except(before).Take(3))}");
    }

    private async Task<long> LastEventAsync() => (await fleet.Client.ReadEventsAsync())[^1].Sequence!.Value;

    private async Task CheckSecretsAsync()
    {
        var texts = Directory.GetFiles(fleet.Folder, "*.log").ToDictionary(file => Path.GetFileName(file), File.ReadAllText);
        texts["the events"] = JsonSerializer.Serialize(await fleet.Client.ReadEventsAsync());
        foreach (var (where, text) in texts)
            Require(!fleet.Secrets.Any(secret => text.Contains(secret, StringComparison.Ordinal)), $"A secret stands in {where}.");
    }

    private async Task StartAsync(FaultPool pool)
    {
        if ((await fleet.Client.ReadAsync($"/v1/pools/{pool.Name}")).GetProperty("state").GetString() == "inactive")
            await fleet.Client.PostAsync($"/v1/pools/{pool.Name}/start");
    }

    private async Task<List<string>> SnapshotAsync()
    {
        var lines = new List<string>();
        foreach (var pool in await fleet.Client.ReadAllAsync("/v1/pools", 1000))
        {
            lines.Add(pool.ToString());
            lines.AddRange((await fleet.Client.ReadAllAsync($"/v1/pools/{pool.GetProperty("id")}/volumes", 1000)).Select(volume => volume.ToString()));
        }
        return lines;
    }

    private void Require(bool holds, string violation)
    {
        if (!holds && violations.Count < 50)
            violations.Add(violation);
    }
}
