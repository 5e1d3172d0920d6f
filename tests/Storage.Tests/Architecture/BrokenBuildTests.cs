using Xunit;

namespace Storage.Tests;

/// <summary>
/// The patches that take a protection out, for the fault runs that must miss it. They are used by hand and seldom, so that nobody
/// else would notice that the code has moved away from under one.
/// </summary>
public sealed class BrokenBuildTests
{
    private const string Folder = "tests/Storage.IntegrationTests/Faults/Broken";

    public static TheoryData<string> Patches() =>
        new(Directory.EnumerateFiles(Path.Combine(Repository.Root, Folder), "*.patch").Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Patches))]
    public void What_a_patch_takes_out_is_in_the_code(string patch)
    {
        var source = "";
        foreach (var hunk in Repository.Read($"{Folder}/{patch}").Split("\n@@ "))
        {
            var lines = hunk.Split('\n');
            if (lines.FirstOrDefault(line => line.StartsWith("+++ b/", StringComparison.Ordinal)) is { } file)
            {
                source = Repository.Read(file["+++ b/".Length..].Trim());
                continue;
            }
            var before = lines.Skip(1).Where(line => line is [' ' or '-', ..]).Select(line => line[1..]).ToList();
            Assert.NotEmpty(before);
            Assert.Contains(string.Join('\n', before), source, StringComparison.Ordinal);
        }
    }
}
