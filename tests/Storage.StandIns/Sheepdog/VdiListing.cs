using System.Globalization;
using System.Text;

namespace Storage.StandIns;

/// <summary>What <c>dog vdi list</c> prints: in the order of the volumes' numbers, which come from a hash of the names.</summary>
internal static class VdiListing
{
    private const string Header = "  Name        Id    Size    Used  Shared    Creation time   VDI id  Copies  Tag   Block Size Shift\n";

    public static string Of(SheepdogCluster cluster, string? name, bool raw) => (raw ? "" : Header) + string.Concat(
        cluster.Vdis.Where(vdi => name is null || vdi.Name == name).OrderBy(vdi => vdi.Id).Select(vdi => raw ? Raw(vdi) : ForPeople(vdi)));

    private static string Raw(Vdi vdi) => string.Create(
        CultureInfo.InvariantCulture,
        $"{Flag(vdi)} {Escaped(vdi.Name)} {vdi.SnapshotNumber} {vdi.Size} {Bytes(vdi.Own)} {Bytes(vdi.Shared)} {vdi.CreatedAt} {vdi.Id:x} 1 {vdi.Tag} {SheepdogCluster.ObjectShift}\n");

    private static string ForPeople(Vdi vdi) => string.Create(
        CultureInfo.InvariantCulture,
        $"{Flag(vdi)} {vdi.Name,-8} {vdi.SnapshotNumber,5} {vdi.Size >> 20,4} MB {Bytes(vdi.Own) >> 20,4} MB {Bytes(vdi.Shared) >> 20,4} MB {DateTimeOffset.FromUnixTimeSeconds(vdi.CreatedAt):yyyy-MM-dd HH:mm}   {vdi.Id,6:x}      1 {vdi.Tag,13}   {SheepdogCluster.ObjectShift}\n");

    private static char Flag(Vdi vdi) => vdi.SnapshotNumber > 0 ? 's' : vdi.IsClone ? 'c' : '=';

    private static long Bytes(IReadOnlyList<int> objects) => (long)objects.Count << SheepdogCluster.ObjectShift;

    private static string Escaped(string name) => name.Aggregate(
        new StringBuilder(), (text, character) => (char.IsWhiteSpace(character) || character == '\\' ? text.Append('\\') : text).Append(character)).ToString();
}
