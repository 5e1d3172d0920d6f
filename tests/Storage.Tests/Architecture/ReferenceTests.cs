using System.Reflection;
using Storage.Contracts;
using Storage.Ledger;
using Xunit;

namespace Storage.Tests;

/// <summary>References point one way.</summary>
public sealed class ReferenceTests
{
    private static readonly string[] Control = ["Storage.Api", "Storage.Inventory", "Storage.Ledger"];

    public static TheoryData<string> Workers =>
        [.. ProjectReferences.Projects.Where(project => project.StartsWith("Storage.Worker.", StringComparison.Ordinal))];

    [Fact]
    public void Contracts_refer_to_nothing_but_the_base_library()
    {
        Assert.Empty(ProjectReferences.Of("Storage.Contracts"));
        Assert.Empty(ProjectReferences.Packages("Storage.Contracts"));
        Assert.All(References(typeof(ICommand).Assembly), name => Assert.StartsWith("System.", name));
    }

    [Fact]
    public void Hosting_knows_only_the_contracts() => Assert.Equal(["Storage.Contracts"], ProjectReferences.Of("Storage.Hosting"));

    [Fact]
    public void The_ledger_uses_neither_http_nor_host_tools()
    {
        Assert.Equal(["Storage.Contracts", "Storage.Hosting"], ProjectReferences.Of("Storage.Ledger"));
        Assert.DoesNotContain(References(typeof(LedgerDb).Assembly),
            name => name.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal) || name == "CliWrap");
    }

    [Theory]
    [InlineData("Storage.Api")]
    [InlineData("Storage.Inventory")]
    public void The_control_plane_knows_no_worker_and_its_services_not_one_another(string service) =>
        Assert.Equal(["Storage.Contracts", "Storage.Hosting", "Storage.Ledger"], ProjectReferences.Of(service));

    [Fact]
    public void The_worker_library_knows_neither_the_control_plane_nor_a_family() =>
        Assert.Equal(["Storage.Contracts", "Storage.Hosting"], ProjectReferences.Of("Storage.Worker"));

    [Theory]
    [MemberData(nameof(Workers))]
    public void A_worker_knows_the_worker_library_and_no_other_service(string worker)
    {
        var references = ProjectReferences.Of(worker);
        Assert.Contains("Storage.Worker", references);
        Assert.Empty(references.Intersect(Control));
        Assert.DoesNotContain(references, name => name.StartsWith("Storage.Worker.", StringComparison.Ordinal));
    }

    private static IEnumerable<string> References(Assembly assembly) => assembly.GetReferencedAssemblies().Select(name => name.Name!);
}
