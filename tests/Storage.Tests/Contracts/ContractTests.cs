using System.Text.Json.Nodes;
using Storage.Contracts;
using Xunit;

namespace Storage.Tests.Contracts;

public sealed class ContractTests
{
    private const string Document = "contracts/asyncapi.json";

    [Fact]
    public void The_asyncapi_document_says_what_the_contracts_say()
    {
        var made = AsyncApiDocument.Make();
        if (Environment.GetEnvironmentVariable("STORAGE_WRITE_DOCUMENTS") == "1")
            File.WriteAllText(Repository.PathOf(Document), made);
        Assert.True(
            File.ReadAllText(Repository.PathOf(Document)) == made,
            $"{Document} is not that of the contracts. Write it anew with STORAGE_WRITE_DOCUMENTS=1 dotnet test --project tests/Storage.Tests, and look at the difference: only additions are allowed.");
    }

    [Fact]
    public void Every_event_record_is_in_the_document()
    {
        var source = File.ReadAllText(Repository.PathOf("contracts/Storage.Contracts/Operations/Events.cs"));
        var declared = AsyncApiDocument.Declared.Where(type => source.Contains($"record {type.Name}(", StringComparison.Ordinal))
            .Except([typeof(PoolObservation), typeof(VolumesObserved)]);
        Assert.Equal(declared.Select(type => type.Name).Order(), AsyncApiDocument.Events.Select(type => type.Name).Order());
    }

    [Fact]
    public void Messages_are_sealed_records_without_a_base_in_one_namespace() =>
        Assert.All(
            CommandTypes.All.Select(row => row.Type).Concat(AsyncApiDocument.Events)
                .Concat([typeof(StorageEvent), typeof(SubmitCommand), typeof(CommandAccepted), typeof(CommandRejected), typeof(RunOperations), typeof(CancelRun), typeof(HostReport), typeof(ReportTaken)]),
            type => Assert.Equal((true, typeof(object), "Storage.Contracts"), (type.IsSealed, type.BaseType, type.Namespace)));

    [Fact]
    public void The_tables_of_the_readme_say_what_the_code_says()
    {
        var readme = File.ReadAllText(Repository.PathOf("contracts/README.md"));
        foreach (var code in ErrorCodes.All.Values)
            Assert.Contains($"| `{code.Name}` | {code.HttpStatus} | {code.LibvirtNumber} |", readme, StringComparison.Ordinal);
        foreach (var row in PoolTypes.All)
            Assert.Contains($"| {row.Name} | {row.Family.ToString().ToLowerInvariant()} | {row.Scope.ToString().ToLowerInvariant()} | {row.RequiredSource} | {row.Operations} |", readme, StringComparison.Ordinal);
        foreach (var command in CommandTypes.All)
            Assert.Contains($"`{command.Name}`", readme, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a b", "field-removed")]
    [InlineData("a", "field-removed")]
    public void A_change_that_breaks_somebody_is_told(string kept, string expected)
    {
        var before = JsonNode.Parse("""{"components":{"schemas":{"X":{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"},"c":{"type":"string"}}}}}}""")!;
        var after = JsonNode.Parse("""{"components":{"schemas":{"X":{"type":"object","properties":{}}}}}""")!;
        foreach (var name in kept.Split(' '))
            after["components"]!["schemas"]!["X"]!["properties"]![name] = new JsonObject { ["type"] = "string" };
        Assert.Contains(BreakingChanges.Between(before, after), change => change.StartsWith(expected, StringComparison.Ordinal));
        Assert.Empty(BreakingChanges.Between(after, before));
    }

    [Fact]
    public void Nothing_that_was_released_is_broken()
    {
        var released = Repository.PathOf("contracts/asyncapi.released.json");
        var before = JsonNode.Parse(File.ReadAllText(released))!;
        Assert.Empty(BreakingChanges.Between(before, JsonNode.Parse(AsyncApiDocument.Make())!));
    }
}
