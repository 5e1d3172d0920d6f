using System.Text;

namespace Storage.StandIns;

/// <summary>A volume, or a snapshot of one.</summary>
/// <param name="Id">Where its data is.</param>
/// <param name="Name">Its snapshots have the same.</param>
/// <param name="SnapshotNumber">0 for the volume.</param>
/// <param name="Tag">The snapshot's name; empty for the volume.</param>
/// <param name="Size">In bytes.</param>
/// <param name="Own">The numbers of the objects that were written since it is there.</param>
/// <param name="Shared">The numbers of the objects that it has from a snapshot.</param>
/// <param name="CreatedAt">In seconds since 1970.</param>
/// <param name="IsClone">Made from a snapshot of another volume.</param>
/// <param name="From">The number of that whose data it began with.</param>
public sealed record Vdi(
    uint Id, string Name, int SnapshotNumber, string Tag, long Size, IReadOnlyList<int> Own, IReadOnlyList<int> Shared, long CreatedAt, bool IsClone, uint? From);

/// <summary>What a Sheepdog cluster with one node and one copy knows, and what its rules are.</summary>
public sealed class SheepdogCluster
{
    public const int MaxName = 255;
    public const int ObjectShift = 22;

    /// <summary>In bytes.</summary>
    public const long Capacity = 64L << 30;

    private const string NotFormatted = "Waiting for cluster to be formatted";

    /// <summary>A volume's number has 24 bits.</summary>
    private const uint IdMask = 0xFFFFFF;

    public bool Formatted { get; set; }

    /// <summary>In seconds since 1970.</summary>
    public long FormattedAt { get; set; }

    public List<Vdi> Vdis { get; init; } = [];

    /// <summary>In bytes.</summary>
    public long Used => Vdis.Sum(vdi => (long)vdi.Own.Count << ObjectShift);

    /// <summary>The sizes of all volumes, in bytes.</summary>
    public long Promised => Vdis.Where(vdi => vdi.SnapshotNumber == 0).Sum(vdi => vdi.Size);

    public void Format()
    {
        Vdis.Clear();
        (Formatted, FormattedAt) = (true, Now);
    }

    public void Create(string name, long size, bool preallocate)
    {
        if (!Formatted)
            throw new DogException(DogExit.Failure, $"Failed to create VDI {name}: {NotFormatted}");
        Add(name, size, preallocate ? [.. Enumerable.Range(0, Objects(size))] : [], [], from: null);
    }

    public void Resize(string name, long size)
    {
        var vdi = Open(name, null);
        if (size < vdi.Size)
            throw new DogException(DogExit.Usage, "Shrinking VDIs is not implemented") { Usage = "vdi resize <vdiname> <new size>" };
        Replace(vdi, vdi with { Size = size });
    }

    /// <summary>What is not there is no failure, but it is told.</summary>
    public void Delete(string name, string? tag)
    {
        try
        {
            Vdis.Remove(Open(name, tag));
        }
        catch (DogException e)
        {
            throw new DogException(0, [.. e.Lines]);
        }
    }

    /// <summary>The snapshot keeps the number, and with it the data; the volume gets the next one.</summary>
    public void Snapshot(string name, string tag)
    {
        var vdi = Open(name, null);
        var number = Vdis.Where(other => other.Name == name).Max(other => other.SnapshotNumber) + 1;
        Replace(vdi, vdi with { SnapshotNumber = number, Tag = tag });
        Vdis.Add(vdi with { Id = FreeId(vdi.Id), Own = [], Shared = [.. vdi.Shared.Union(vdi.Own)], CreatedAt = Now, From = vdi.Id });
    }

    public void Clone(string name, string? tag, string clone)
    {
        if (tag is null)
            throw new DogException(DogExit.Usage, "Only snapshot VDIs can be cloned", "Please specify the '-s' option");
        var vdi = Open(name, tag);
        Add(clone, vdi.Size, [], [.. vdi.Shared.Union(vdi.Own)], vdi.Id);
    }

    public void Written(Vdi vdi, long offset, long length) =>
        Replace(vdi, vdi with { Own = [.. vdi.Own.Union(Enumerable.Range((int)(offset >> ObjectShift), Objects(offset + length) - (int)(offset >> ObjectShift))).Order()] });

    /// <summary>A volume; with a tag its snapshot.</summary>
    public Vdi Open(string name, string? tag) =>
        Vdis.Find(vdi => vdi.Name == name && (tag is null ? vdi.SnapshotNumber == 0 : vdi.SnapshotNumber > 0 && vdi.Tag == tag))
        ?? throw new DogException(DogExit.Failure, $"Failed to open VDI {name} (snapshot id: 0 snapshot tag: {tag}): No VDI found");

    private static long Now => DateTimeOffset.UtcNow.ToUnixTimeSeconds();

    private static int Objects(long size) => (int)((size + (1L << ObjectShift) - 1) >> ObjectShift);

    private void Add(string name, long size, int[] own, int[] shared, uint? from)
    {
        // One without a name is taken, and is nowhere.
        if (name.Length == 0)
            return;
        if (Vdis.Exists(vdi => vdi.Name == name && vdi.SnapshotNumber == 0))
            throw new DogException(DogExit.Failure, $"Failed to create VDI {name}: VDI exists already");
        Vdis.Add(new Vdi(FreeId(Hash(name)), name, 0, "", size, own, shared, Now, from is not null, from));
    }

    private void Replace(Vdi old, Vdi replacement) => Vdis[Vdis.IndexOf(old)] = replacement;

    private uint FreeId(uint from)
    {
        for (var id = from & IdMask; ; id = (id + 1) & IdMask)
        {
            if (id != 0 && !Vdis.Exists(vdi => vdi.Id == id))
                return id;
        }
    }

    /// <summary>FNV-1a of 64 bits, of which Sheepdog takes the lowest 24.</summary>
    private static uint Hash(string name) =>
        (uint)(Encoding.UTF8.GetBytes(name).Aggregate(0xcbf29ce484222325UL, (hash, value) => (hash ^ value) * 0x100000001b3UL) & IdMask);
}
