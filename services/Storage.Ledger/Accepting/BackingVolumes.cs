using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>
/// Which volumes of a host are the backing stores of others, by their paths. A volume is not taken away under those that are built on it,
/// nor while one is being built.
/// </summary>
internal sealed class BackingVolumes(LedgerTransaction ledger)
{
    private const int Named = 5;

    private readonly Dictionary<string, IReadOnlyList<(Guid Id, string Path)>> targets = new(StringComparer.Ordinal);

    /// <summary>The absolute path of a volume's backing store; null where it has none, or none that is a path.</summary>
    public static string? PathOf(VolumeDefinition volume) =>
        volume is { BackingStore.Path: { } backing, Path: ['/', ..] path } ? Absolute(backing, Path.GetDirectoryName(path)!) : null;

    /// <summary>The known volumes that new volumes of a pool are to be built on.</summary>
    public async Task<IReadOnlyList<(PoolRow Pool, string Volume)>> OfNewAsync(
        PoolRow pool, IEnumerable<VolumeDefinition> volumes, CancellationToken cancellationToken)
    {
        var found = new List<(PoolRow Pool, string Volume)>();
        foreach (var backing in volumes.Select(volume => volume.BackingStore?.Path).OfType<string>().Distinct(StringComparer.Ordinal))
        {
            var known = await TargetsAsync(pool.Host, cancellationToken);
            var own = known.FirstOrDefault(target => target.Id == pool.Id).Path;
            if (own is null || Absolute(backing, own) is not { } path)
                continue;
            var (folder, name) = (Path.GetDirectoryName(path), Path.GetFileName(path));
            foreach (var target in known.Where(target => target.Path == folder))
            {
                if (await ledger.Inventory.VolumeAsync(target.Id, name, cancellationToken) is { Removed: false })
                    found.Add(((await ledger.Inventory.PoolAsync(target.Id, cancellationToken))!, name));
            }
        }
        return found;
    }

    /// <summary>Refuses to take away a volume that others are built on.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.InUse"/>, naming them.</exception>
    public async Task RequireNoneOnAsync(PoolRow pool, string volume, CancellationToken cancellationToken)
    {
        if ((await ledger.Inventory.VolumeAsync(pool.Id, volume, cancellationToken))?.Path is not { } path
            || !await ledger.Inventory.AnyBackedAsync(pool.Host, cancellationToken))
            return;
        var users = await ledger.Db.Volumes.Where(row => row.BackingPath == path && !row.Removed)
            .Join(ledger.Db.Pools.Where(row => row.Host == pool.Host), row => row.PoolId, row => row.Id, (row, of) => new { row.Name, Pool = of.Name })
            .OrderBy(row => row.Pool).ThenBy(row => row.Name).Take(Named + 1).ToListAsync(cancellationToken);
        if (users.Count == 0)
            return;
        var names = string.Join(", ", users.Take(Named).Select(user => $"'{user.Name}' in pool '{user.Pool}'"));
        throw new StorageException(new StorageError(ErrorCodes.InUse,
            $"Volume '{volume}' is the backing store of {names}{(users.Count > Named ? " and others" : "")}.", "volume",
            Resource: Resources.Volume(pool.Id, volume)));
    }

    private async Task<IReadOnlyList<(Guid Id, string Path)>> TargetsAsync(string host, CancellationToken cancellationToken)
    {
        if (!targets.TryGetValue(host, out var known))
        {
            var rows = await ledger.Db.Pools.Where(row => row.Host == host).Select(row => new { row.Id, row.Definition }).ToListAsync(cancellationToken);
            targets[host] = known = [.. rows
                .Select(row => (row.Id, JsonSerializer.Deserialize<PoolDefinition>(row.Definition, StorageJson.Options)!.Target.Path))
                .Where(row => row.Path is ['/', ..]).Select(row => (row.Id, Path.TrimEndingDirectorySeparator(Path.GetFullPath(row.Path!))))];
        }
        return known;
    }

    private static string? Absolute(string backing, string folder)
    {
        // What has a protocol before its first slash is no path.
        var colon = backing.IndexOf(':', StringComparison.Ordinal);
        if (backing.Length == 0 || backing.Contains('\0') || (colon >= 0 && !backing.AsSpan(0, colon).Contains('/')))
            return null;
        return Path.GetFullPath(backing, folder);
    }
}
