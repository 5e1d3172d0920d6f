using System.Text.Json;
using System.Text.RegularExpressions;
using Storage.Contracts;
using Xunit;

namespace Storage.Tests;

/// <summary>Storage reads the documents of the recorded cases as libvirt 11.3 did, and differs only where the case says so, and how.</summary>
public sealed partial class LibvirtAnswersTests
{
    private static readonly Guid Generated = Guid.Parse("00000000-0000-4000-8000-000000000000");

    private static readonly IReadOnlyDictionary<string, AnsweredCase> Pools = AnsweredCase.Read("pools.txt");

    private static readonly IReadOnlyDictionary<string, AnsweredCase> Volumes = AnsweredCase.Read("volumes.txt");

    private static readonly IReadOnlyDictionary<string, AnsweredCase> Conflicts = AnsweredCase.Read("conflicts.txt");

    public static TheoryData<string> PoolTitles => [.. Pools.Keys];

    public static TheoryData<string> VolumeTitles => [.. Volumes.Keys];

    public static TheoryData<string> ConflictTitles => [.. Conflicts.Keys];

    [Theory]
    [MemberData(nameof(PoolTitles))]
    public void A_pool_document_is_answered_as_libvirt_answers(string title) => Check(Pools[title], document =>
    {
        var pool = PoolXml.Read(document);
        var json = JsonSerializer.Serialize(pool with { Uuid = pool.Uuid ?? Generated }, StorageJson.Strict);
        return PoolXml.Write(PoolRules.Complete(JsonSerializer.Deserialize<PoolDefinition>(json, StorageJson.Strict)!));
    });

    [Theory]
    [MemberData(nameof(VolumeTitles))]
    public void A_volume_document_is_answered_as_libvirt_answers(string title) => Check(Volumes[title], document =>
    {
        var type = PoolTypes.Find(title.Split(':')[0])!;
        var json = JsonSerializer.Serialize(VolumeXml.Read(document, type), StorageJson.Strict);
        var volume = VolumeRules.Complete(type, JsonSerializer.Deserialize<VolumeDefinition>(json, StorageJson.Strict)!, VolumePurpose.Describe);
        return VolumeXml.Write(volume, type);
    });

    [Theory]
    [MemberData(nameof(ConflictTitles))]
    public void A_pool_is_in_conflict_with_a_known_one_where_it_is_for_libvirt(string title)
    {
        var pools = Conflicts[title].Document.Split("+++\n").Select(document => PoolXml.Read(document)).ToList();
        var said = SourceConflict.FindField(wanted: pools[1], known: pools[0]) is { } field ? $"conflict {field}" : "none";
        if (Conflicts[title].Ours is { } ours)
            Assert.Equal(ours, said);
        else
            Assert.Equal(Conflicts[title].Refused is not null, said != "none");
    }

    [Fact]
    public void The_capabilities_are_written_as_libvirt_writes_them()
    {
        var written = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Libvirt", "capabilities.xml"));
        // libvirt has no backend for sheepdog any more, and Debian's has none for vstorage.
        Assert.Equal(written, PoolCapabilitiesXml.Write(type => type is not (PoolType.Sheepdog or PoolType.Vstorage)));
    }

    private static void Check(AnsweredCase answered, Func<string, string> read)
    {
        var (said, error) = ("accepted", (StorageError?)null);
        var written = "";
        try
        {
            written = Comparable(read(answered.Document));
        }
        catch (StorageException e)
        {
            error = e.Error;
            said = $"{error.Code} {error.Field}".TrimEnd();
        }

        var same = error is null
            ? answered.Refused is null && written == Comparable(answered.Answer)
            : ErrorCodes.All[error.Code].LibvirtNumber == answered.Refused;
        if (answered.Ours is null)
        {
            Assert.True(same, $"{said}: {error?.Message}\n{written}\nlibvirt {answered.Refused}: {answered.Answer}");
            return;
        }
        Assert.False(same, "The difference is gone.");
        Assert.Equal(answered.Ours, said);
    }

    /// <summary>The connection that libvirt was asked by gives every volume a key and a path of its own.</summary>
    private static string Comparable(string document) =>
        document.StartsWith("<volume", StringComparison.Ordinal) ? KeyAndPath().Replace(document, "") : document;

    [GeneratedRegex(@"(?<=</name>\n)  <key>.*?</key>\n|(?<=  <target>\n)    <path>.*?</path>\n", RegexOptions.Singleline)]
    private static partial Regex KeyAndPath();
}
