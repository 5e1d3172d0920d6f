using System.Text.Json;
using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>
/// Turns what was seen into the differences that it shows: volumes that appeared, changed or vanished. A part of a refresh stands for a
/// range of names and is compared with that range alone, single volumes with themselves, so all of them need no order and may come twice.
/// </summary>
public static class RefreshProjection
{
    public static async Task ApplyAsync(LedgerTransaction ledger, StorageEvent entry, VolumesObserved seen, CancellationToken cancellationToken)
    {
        if (await ledger.Inventory.PoolAsync(seen.PoolId, cancellationToken) is null)
            return;
        var known = (await ledger.Inventory.LoadVolumeRangeAsync(seen.PoolId, seen.After, seen.Through, cancellationToken))
            .ToDictionary(row => row.Name, StringComparer.Ordinal);
        // Those that are new are asked for at once and not one by one.
        await ledger.Inventory.LoadVolumesAsync(seen.PoolId, seen.Volumes.Select(volume => volume.Name), cancellationToken);
        var differences = new Differences(ledger, entry, seen.PoolId);
        foreach (var volume in seen.Volumes)
        {
            known.Remove(volume.Name, out var row);
            await differences.TellAsync(row, volume, cancellationToken);
        }
        foreach (var row in known.Values)
            await differences.TellGoneAsync(row, cancellationToken);
    }

    /// <summary>What is said of a pool that has stopped meanwhile comes too late.</summary>
    public static async Task ApplyAsync(LedgerTransaction ledger, StorageEvent entry, VolumesSeen seen, CancellationToken cancellationToken)
    {
        if (await ledger.Inventory.PoolAsync(seen.PoolId, cancellationToken) is not { Active: true })
            return;
        await ledger.Inventory.LoadVolumesAsync(seen.PoolId, seen.Volumes.Select(volume => volume.Name).Concat(seen.Gone), cancellationToken);
        var differences = new Differences(ledger, entry, seen.PoolId);
        foreach (var volume in seen.Volumes)
            await differences.TellAsync(await ledger.Inventory.VolumeAsync(seen.PoolId, volume.Name, cancellationToken), volume, cancellationToken);
        foreach (var name in seen.Gone)
            if (await ledger.Inventory.VolumeAsync(seen.PoolId, name, cancellationToken) is { } row)
                await differences.TellGoneAsync(row, cancellationToken);
    }

    /// <summary>The differences that one event shows.</summary>
    private sealed class Differences(LedgerTransaction ledger, StorageEvent entry, Guid pool)
    {
        public async Task TellAsync(VolumeRow? row, VolumeDefinition seen, CancellationToken cancellationToken)
        {
            var before = row is null or { Removed: true } ? null : row;
            if (row?.Revision >= entry.Revision || before is not null && SameApartFromAccess(before, seen))
                return;
            // What is known is read once more only where it matters.
            var passed = seen.Layout is null ? null : ThinPoolThresholds.Passed(before is null ? null : Known(before), seen);
            if (before is null)
                await TellAsync(row, new VolumeAppeared(pool, seen), seen.Name, cancellationToken);
            else
                await TellAsync(row, new VolumeChanged(pool, seen), seen.Name, cancellationToken);
            if (passed is { } threshold)
                ledger.Log(Difference(new ThinPoolFilled(pool, seen.Name, seen.Layout!.DataPercent, seen.Layout.MetadataPercent, threshold), seen.Name));
        }

        public Task TellGoneAsync(VolumeRow row, CancellationToken cancellationToken) =>
            row.Removed ? Task.CompletedTask : TellAsync(row, new VolumeVanished(pool, row.Name), row.Name, cancellationToken);

        private async Task TellAsync<T>(VolumeRow? row, T data, string name, CancellationToken cancellationToken)
            where T : class
        {
            if (row is not null && row.Revision >= entry.Revision)
                return;
            var difference = Difference(data, name);
            if (await InventoryProjection.ApplyAsync(ledger.Inventory, difference, cancellationToken))
                ledger.Log(difference);
        }

        private StorageEvent Difference<T>(T data, string name)
            where T : class => entry with
            {
                EventId = Guid.CreateVersion7(ledger.Now),
                Type = typeof(T).Name,
                Resource = Resources.Volume(pool, name),
                Cause = EventCause.External,
                Data = StorageJson.ToElement(data),
            };
    }

    /// <summary>Reading a volume moves its access time: that alone is no change worth an event.</summary>
    private static bool SameApartFromAccess(VolumeRow row, VolumeDefinition seen)
    {
        // Most are the same to the letter, which is found without reading what is known.
        if (row.Document == Json(seen))
            return true;
        return Comparable(Known(row)) == Comparable(seen);

        static string Comparable(VolumeDefinition volume) => Json(
            volume with { Timestamps = volume.Timestamps is null ? null : volume.Timestamps with { Access = null } });

        static string Json(VolumeDefinition volume) => JsonSerializer.Serialize(volume, StorageJson.Options);
    }

    private static VolumeDefinition Known(VolumeRow row) => JsonSerializer.Deserialize<VolumeDefinition>(row.Document, StorageJson.Options)!;
}
