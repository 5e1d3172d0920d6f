using System.Xml.Linq;

namespace Storage.Tests;

/// <summary>The projects of the repository and what they refer to, as their files say.</summary>
internal static class ProjectReferences
{
    private static readonly Dictionary<string, string> Files =
        new[] { "contracts", "services", "tests" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), "*.csproj", SearchOption.AllDirectories))
            .ToDictionary(path => Path.GetFileNameWithoutExtension(path));

    public static IEnumerable<string> Projects => Files.Keys.Order(StringComparer.Ordinal);

    public static IEnumerable<string> Packages(string project) => Includes(project, "PackageReference");

    /// <summary>The projects that a project refers to, directly or not.</summary>
    public static IReadOnlySet<string> Of(string project)
    {
        var found = new SortedSet<string>(StringComparer.Ordinal);
        var open = new Stack<string>([project]);
        while (open.TryPop(out var next))
        {
            foreach (var reference in Includes(next, "ProjectReference").Select(path => Path.GetFileNameWithoutExtension(path)))
            {
                if (found.Add(reference))
                    open.Push(reference);
            }
        }
        return found;
    }

    private static IEnumerable<string> Includes(string project, string item) =>
        XDocument.Load(Files[project]).Descendants(item).Select(element => element.Attribute("Include")!.Value);
}
