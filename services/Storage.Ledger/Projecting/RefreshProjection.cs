using System.Text.Json;
using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>
/// Turns a part of a refresh into the differences that it shows: volumes that appeared, changed or vanished. Each part stands for a
/// range of names and is compared with that range alone, so parts need no order among themselves and may come twice.
/// </summary>
public static class RefreshProjection
{
    public static async Task ApplyAsync(LedgerTransaction ledger, StorageEvent entry, CancellationToken cancellationToken)
    {
        var seen = entry.Read<VolumesObserved>();
        if (await ledger.Inventory.PoolAsync(seen.PoolId, cancellationToken) is null)
            return;
        var known = (await ledger.Inventory.LoadVolumeRangeAsync(seen.PoolId, seen.After, seen.Through, cancellationToken))
            .ToDictionary(row => row.Name, StringComparer.Ordinal);
        foreach (var volume in seen.Volumes)
        {
            if (!known.Remove(volume.Name, out var row) || row.Removed)
                await TellAsync(row, new VolumeAppeared(seen.PoolId, volume), volume.Name);
            else if (!SameApartFromAccess(row, volume))
                await TellAsync(row, new VolumeChanged(seen.PoolId, volume), volume.Name);
        }
        foreach (var row in known.Values.Where(row => !row.Removed))
            await TellAsync(row, new VolumeVanished(seen.PoolId, row.Name), row.Name);

        async Task TellAsync<T>(VolumeRow? row, T data, string name)
            where T : class
        {
            if (row is not null && row.Revision >= entry.Revision)
                return;
            var difference = entry with
            {
                EventId = Guid.CreateVersion7(ledger.Now),
                Type = typeof(T).Name,
                Resource = Resources.Volume(seen.PoolId, name),
                Cause = EventCause.External,
                Data = StorageJson.ToElement(data),
            };
            if (await InventoryProjection.ApplyAsync(ledger.Inventory, difference, cancellationToken))
                ledger.Log(difference);
        }
    }

    /// <summary>Reading a volume moves its access time: that alone is no change worth an event.</summary>
    private static bool SameApartFromAccess(VolumeRow row, VolumeDefinition seen)
    {
        var known = JsonSerializer.Deserialize<VolumeDefinition>(row.Document, StorageJson.Options)!;
        return Comparable(known) == Comparable(seen);

        static string Comparable(VolumeDefinition volume) => JsonSerializer.Serialize(
            volume with { Timestamps = volume.Timestamps is null ? null : volume.Timestamps with { Access = null } }, StorageJson.Options);
    }
}
