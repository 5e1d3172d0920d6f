using System.Text;
using System.Text.Json;
using Storage.Api;
using Storage.Contracts;
using Xunit;

namespace Storage.Tests;

public sealed class ContractsReadmeTests
{
    private static readonly string Text = Repository.Read(ContractsReadme.Path);

    [Fact]
    public void The_tables_are_those_of_the_contracts() =>
        Repository.AssertCommitted(ContractsReadme.Path, ContractsReadme.WithTables(Text));

    [Fact]
    public void The_examples_of_commands_are_read_by_the_bus_door()
    {
        var commands = ContractsReadme.Examples(Text, "json command").Select(json => JsonCommand.Read(Encoding.UTF8.GetBytes(json), null, null).Command);
        Assert.Equal(["DefinePool", "CreateVolume"], commands.Select(command => command.GetType().Name));
    }

    [Fact]
    public void The_example_of_a_bare_record_is_read_by_the_bus_door()
    {
        var json = Assert.Single(ContractsReadme.Examples(Text, "json bare command"));
        Assert.Equal("images", Assert.IsType<StartPool>(JsonCommand.Read(Encoding.UTF8.GetBytes(json), nameof(StartPool), null).Command).Pool);
    }

    [Fact]
    public void The_examples_of_answers_are_those_of_the_contracts()
    {
        Same<CommandAccepted>("json accepted");
        var rejected = Same<CommandRejected>("json rejected");
        Assert.Contains(rejected.Error.Code, ErrorCodes.All.Keys);
    }

    [Fact]
    public void The_example_of_an_event_is_that_of_the_contracts()
    {
        var envelope = JsonDocument.Parse(Assert.Single(ContractsReadme.Examples(Text, "json event"))).RootElement;
        Assert.Equal(AsyncApiDocument.Urn(typeof(StorageEvent)), envelope.GetProperty("messageType")[0].GetString());
        var entry = Same<StorageEvent>(envelope.GetProperty("message"));
        Assert.Equal(nameof(VolumeCreated), entry.Type);
        Same<VolumeCreated>(entry.Data);
    }

    private static T Same<T>(string kind) =>
        Same<T>(JsonDocument.Parse(Assert.Single(ContractsReadme.Examples(Text, kind))).RootElement);

    /// <summary>The example has every member that would be written, and no other.</summary>
    private static T Same<T>(JsonElement json)
    {
        var value = json.Deserialize<T>(StorageJson.Strict)!;
        Assert.True(JsonElement.DeepEquals(json, StorageJson.ToElement(value)), $"{json}\nis written as\n{StorageJson.ToElement(value)}");
        return value;
    }
}
