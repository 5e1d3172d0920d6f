using System.Text.RegularExpressions;
using System.Xml.Linq;
using Xunit;

namespace Storage.Tests.Architecture;

/// <summary>References point one way, and each room touches only what it may.</summary>
public sealed partial class ReferenceTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Storage.Contracts"] = [],
        ["Storage.Hosting"] = ["Storage.Contracts"],
        ["Storage.Ledger"] = ["Storage.Contracts", "Storage.Hosting"],
        ["Storage.Api"] = ["Storage.Contracts", "Storage.Hosting", "Storage.Ledger"],
        ["Storage.Inventory"] = ["Storage.Contracts", "Storage.Hosting", "Storage.Ledger"],
        ["Storage.Worker"] = ["Storage.Contracts", "Storage.Hosting"],
        ["Storage.Worker.File"] = ["Storage.Worker"],
        ["Storage.Standalone"] = ["Storage.Api", "Storage.Inventory", "Storage.Worker.File"],
    };

    [Fact]
    public void Every_project_references_only_what_its_room_may_see()
    {
        var projects = new[] { "contracts", "services" }
            .SelectMany(folder => Directory.EnumerateFiles(Repository.PathOf(folder), "*.csproj", SearchOption.AllDirectories)).ToList();
        Assert.Equal(Allowed.Keys.Order(), projects.Select(Path.GetFileNameWithoutExtension).Order());
        foreach (var project in projects)
        {
            var references = XDocument.Load(project).Descendants("ProjectReference")
                .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value));
            Assert.Empty(references.Except(Allowed[Path.GetFileNameWithoutExtension(project)]));
        }
    }

    [Fact]
    public void Contracts_has_no_package() =>
        Assert.Empty(XDocument.Load(Repository.PathOf("contracts/Storage.Contracts/Storage.Contracts.csproj")).Descendants("PackageReference"));

    [Theory]
    [InlineData("services/Storage.Ledger", "Microsoft.AspNetCore")]
    [InlineData("services/Storage.Ledger", "CliWrap")]
    [InlineData("services/Storage.Api", "CliWrap")]
    [InlineData("services/Storage.Api", "System.Diagnostics.Process")]
    [InlineData("services/Storage.Inventory", "CliWrap")]
    [InlineData("services/Storage.Worker", "EntityFrameworkCore")]
    public void A_room_does_not_use_what_is_not_its_own(string room, string space) =>
        Assert.Empty(Repository.Sources(room).Where(source => source.Text.Contains($"using {space}", StringComparison.Ordinal)).Select(source => source.Path));

    [Fact]
    public void The_worker_library_and_the_control_plane_know_no_pool_type() =>
        Assert.Empty(new[] { "services/Storage.Worker", "services/Storage.Ledger", "services/Storage.Api", "services/Storage.Inventory" }
            .SelectMany(Repository.Sources).Where(source => PoolTypeMember().IsMatch(source.Text)).Select(source => source.Path));

    [Fact]
    public void Every_room_is_on_the_map()
    {
        var map = File.ReadAllText(Repository.PathOf("services/README.md"));
        foreach (var folder in new[] { "contracts", "services", "tests" }.SelectMany(folder => Directory.EnumerateDirectories(Repository.PathOf(folder), "Storage.*")))
            Assert.Contains($"`{Path.GetRelativePath(Repository.Root, folder)}`", map, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"\bPoolType\.[A-Z]")]
    private static partial Regex PoolTypeMember();
}
