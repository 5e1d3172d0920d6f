using Xunit;

namespace Storage.Tests;

/// <summary>services/README.md is the map of the house.</summary>
public sealed class HouseMapTests
{
    private const string Map = "services/README.md";

    private static readonly string[] NotOurs = ["artifacts", "bin", "obj", "TestResults"];

    [Fact]
    public void The_map_names_every_project_and_every_folder_at_the_top()
    {
        var map = Repository.Read(Map);
        var folders = Directory.EnumerateDirectories(Repository.Root).Select(path => Path.GetFileName(path))
            .Where(name => name[0] != '.' && !NotOurs.Contains(name)).Select(name => $"{name}/");
        Assert.All(ProjectReferences.Projects.Concat(folders), name => Assert.Contains(name, map));
    }
}
