using System.Buffers;
using System.Text.Json;
using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>
/// Turns what was seen into the differences that it shows: volumes that appeared, changed or vanished. A part of a refresh stands for a
/// range of names and is compared with that range alone, single volumes with themselves, so all of them need no order and may come twice.
/// </summary>
public static class RefreshProjection
{
    internal static async Task ApplyAsync(LedgerTransaction ledger, StorageEvent entry, ToldRange seen, CancellationToken cancellationToken)
    {
        if (await ledger.Inventory.PoolAsync(seen.Pool, cancellationToken) is null)
            return;
        var known = (await ledger.Inventory.LoadVolumeRangeAsync(seen.Pool, seen.After, seen.Through, cancellationToken))
            .ToDictionary(row => row.Name, StringComparer.Ordinal);
        // Those that are new are known to be so by the range; should one be outside of it, all of these are asked for at once.
        await ledger.Inventory.LoadVolumesAsync(seen.Pool, seen.Volumes.Select(volume => volume.Seen.Name), cancellationToken);
        var differences = new Differences(ledger, entry, seen.Pool);
        foreach (var volume in seen.Volumes)
        {
            known.Remove(volume.Seen.Name, out var row);
            await differences.TellAsync(row, volume, cancellationToken);
        }
        foreach (var row in known.Values)
            await differences.TellGoneAsync(row, cancellationToken);
    }

    /// <summary>Finds the ranges in which nothing has changed: nothing is to be applied for them.</summary>
    /// <returns>Their places.</returns>
    public static async Task<IReadOnlyList<int>> CompareAsync(LedgerTransaction ledger, VolumesCompared seen, CancellationToken cancellationToken)
    {
        if (seen.Ranges.Count == 0)
            return [];
        var known = await ledger.Inventory.ReadDigestsAsync(seen.PoolId, seen.After, seen.Ranges[^1].Through, cancellationToken);
        var same = new List<int>(seen.Ranges.Count);
        var digests = new ArrayBufferWriter<byte>();
        var next = 0;
        for (var i = 0; i < seen.Ranges.Count; i++)
        {
            var (through, digest) = seen.Ranges[i];
            var all = true;
            digests.ResetWrittenCount();
            for (; next < known.Count && (through is null || Utf8Order.Compare(known[next].Name, through) <= 0); next++)
            {
                // One that was last written before digests were kept has none: it is told in full, once.
                all &= known[next].Digest is not null;
                digests.Write(known[next].Digest);
            }
            if (all && digest.AsSpan().SequenceEqual(VolumeDigest.OfRange(digests.WrittenSpan)))
                same.Add(i);
        }
        return same;
    }

    /// <summary>What is said of a pool that has stopped meanwhile comes too late.</summary>
    public static async Task ApplyAsync(LedgerTransaction ledger, StorageEvent entry, VolumesSeen seen, CancellationToken cancellationToken)
    {
        if (await ledger.Inventory.PoolAsync(seen.PoolId, cancellationToken) is not { Active: true })
            return;
        await ledger.Inventory.LoadVolumesAsync(seen.PoolId, seen.Volumes.Select(volume => volume.Name).Concat(seen.Gone), cancellationToken);
        var differences = new Differences(ledger, entry, seen.PoolId);
        foreach (var volume in seen.Volumes)
            await differences.TellAsync(
                await ledger.Inventory.VolumeAsync(seen.PoolId, volume.Name, cancellationToken), new ToldVolume(volume), cancellationToken);
        foreach (var name in seen.Gone)
            if (await ledger.Inventory.VolumeAsync(seen.PoolId, name, cancellationToken) is { } row)
                await differences.TellGoneAsync(row, cancellationToken);
    }

    /// <summary>The differences that one event shows.</summary>
    private sealed class Differences(LedgerTransaction ledger, StorageEvent entry, Guid pool)
    {
        public async Task TellAsync(VolumeRow? row, ToldVolume told, CancellationToken cancellationToken)
        {
            var (seen, before) = (told.Seen, row is null or { Removed: true } ? null : row);
            if (row?.Revision >= entry.Revision || before is not null && SameApartFromAccess(before, told))
                return;
            // What is known is read once more only where it matters.
            var passed = seen.Layout is null ? null : ThinPoolThresholds.Passed(before is null ? null : Known(before), seen);
            if (before is null)
                await TellAsync(row, new VolumeAppeared(pool, seen), seen.Name, told, cancellationToken);
            else
                await TellAsync(row, new VolumeChanged(pool, seen), seen.Name, told, cancellationToken);
            if (passed is { } threshold)
                ledger.Log(Difference(new ThinPoolFilled(pool, seen.Name, seen.Layout!.DataPercent, seen.Layout.MetadataPercent, threshold), seen.Name));
        }

        public Task TellGoneAsync(VolumeRow row, CancellationToken cancellationToken) =>
            row.Removed ? Task.CompletedTask : TellAsync(row, new VolumeVanished(pool, row.Name), row.Name, null, cancellationToken);

        /// <param name="told">What the volume is now, so that it is not read back from the event; null where it is gone.</param>
        private async Task TellAsync<T>(VolumeRow? row, T data, string name, ToldVolume? told, CancellationToken cancellationToken)
            where T : class
        {
            if (row is not null && row.Revision >= entry.Revision)
                return;
            var difference = Difference(data, name);
            if (await InventoryProjection.ApplyAsync(ledger.Inventory, difference, told, cancellationToken))
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
    private static bool SameApartFromAccess(VolumeRow row, ToldVolume told)
    {
        // It was last written before digests were kept.
        row.Digest ??= VolumeDigest.Of(Known(row));
        return row.Digest.AsSpan().SequenceEqual(told.Digest);
    }

    private static VolumeDefinition Known(VolumeRow row) => JsonSerializer.Deserialize<VolumeDefinition>(row.Document, StorageJson.Options)!;
}
