using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Storage.Contracts;
using Xunit;

namespace Storage.Tests;

public sealed partial class AsyncApiDocumentTests
{
    private const string Baseline = "contracts/asyncapi.baseline.json";

    private static readonly JsonNode Document = JsonNode.Parse(AsyncApiDocument.Generate())!;

    [Fact]
    public void The_committed_document_is_what_the_contracts_say() =>
        Repository.AssertCommitted(AsyncApiDocument.Path, AsyncApiDocument.Generate());

    [Fact]
    public void Nothing_is_taken_from_those_who_rely_on_the_last_release()
    {
        var changes = BreakingChanges.Between(JsonNode.Parse(Repository.Read(Baseline))!, Document);
        Assert.True(changes.Count == 0,
            $"The contracts break those of the last release:\n{string.Join('\n', changes)}\n"
            + $"Contracts change by addition only. With a release, {Baseline} becomes a copy of {AsyncApiDocument.Path}.");
    }

    [Fact]
    public void Every_reference_leads_somewhere()
    {
        var references = new List<string>();
        Collect(Document, references);
        Assert.NotEmpty(references);
        Assert.All(references, reference => Assert.NotNull(
            reference[2..].Split('/').Aggregate((JsonNode?)Document, (node, part) => node?[part])));
    }

    [Fact]
    public void Every_event_record_is_in_the_document()
    {
        var records = Record().Matches(Repository.Read("contracts/Storage.Contracts/Operations/Events.cs"))
            .Select(match => match.Groups[1].Value).Where(name => name != nameof(PoolObservation));
        Assert.Equal(EventTypes.All.Select(type => type.Name), records);
        Assert.All(EventTypes.All, type => Assert.NotNull(Document["components"]!["schemas"]![type.Name]));
        Assert.All(EventTypes.Logged, type => Assert.NotNull(Document["channels"]!["events"]!["messages"]![type.Name]));
    }

    [Fact]
    public void Every_command_comes_in_by_both_doors()
    {
        Assert.All(CommandTypes.All, command =>
        {
            Assert.NotNull(Document["channels"]!["commands"]!["messages"]![command.Name]);
            Assert.NotNull(Document["channels"]!["commandsJson"]!["messages"]![$"{command.Name}.plain"]);
        });
    }

    [Fact]
    public void Every_message_says_what_it_means() =>
        Assert.All(Document["components"]!["messages"]!.AsObject(), message => Assert.True(
            message.Value!["summary"] is not null, $"{message.Key} has no summary: write a /// summary on its record."));

    private static void Collect(JsonNode? node, List<string> references)
    {
        if (node is JsonArray array)
        {
            foreach (var item in array)
                Collect(item, references);
        }
        else if (node is JsonObject members)
        {
            foreach (var (name, value) in members)
            {
                if (name == "$ref" && value is JsonValue)
                    references.Add(value.ToString());
                else
                    Collect(value, references);
            }
        }
    }

    [GeneratedRegex(@"public sealed record (\w+)")]
    private static partial Regex Record();
}
