using System.Text;
using Storage.Api;
using Storage.Contracts;
using Storage.Ledger;
using Xunit;

namespace Storage.Tests;

public sealed class JsonCommandTests
{
    private const string Id = "8e03978e-40d5-43dd-bc93-6894a57f9324";
    private const string Other = "11111111-2222-4333-8444-555555555555";

    [Theory]
    [InlineData("""{"command":"StartPool","arguments":{"pool":"p"},"commandId":"8e03978e-40d5-43dd-bc93-6894a57f9324"}""", null, null, Id)]
    [InlineData("""{"command":"StartPool","arguments":{"pool":"p","commandId":"8e03978e-40d5-43dd-bc93-6894a57f9324"}}""", null, Other, Id)]
    [InlineData("""{"command":"StartPool","arguments":{"pool":"p"}}""", "SubmitCommand", Other, Other)]
    [InlineData("""{"command":"StartPool","arguments":{"pool":"p"}}""", null, "not-a-uuid", null)]
    [InlineData("""{"pool":"p","CommandID":"8e03978e-40d5-43dd-bc93-6894a57f9324"}""", "StartPool", Other, Id)]
    [InlineData("""{"pool":"p"}""", "StartPool", Other, Other)]
    [InlineData("""{"pool":"p"}""", "StartPool", null, null)]
    public void A_command_is_read_with_its_id(string json, string? type, string? messageId, string? id)
    {
        var command = Assert.IsType<StartPool>(JsonCommand.Read(Encoding.UTF8.GetBytes(json), type, messageId).Command);
        Assert.Equal(("p", id), (command.Pool, command.CommandId?.ToString()));
    }

    [Theory]
    [InlineData("""{"command":"StartPool","arguments":{"pool":"p"},"deadline":"2026-11-23T10:00:00Z"}""", null, null)]
    [InlineData("""{"command":"StartPool","arguments":{"pool":"p"},"deadline":"2026-11-23T10:00:00Z"}""", null, "2030-01-01T00:00:00Z")]
    [InlineData("""{"command":"StartPool","arguments":{"pool":"p"}}""", null, "2026-11-23T11:00:00+01:00")]
    [InlineData("""{"pool":"p"}""", "StartPool", "2026-11-23T10:00:00")]
    public void A_deadline_is_read_from_the_body_or_else_from_the_header(string json, string? type, string? header) => Assert.Equal(
        new DateTimeOffset(2026, 11, 23, 10, 0, 0, TimeSpan.Zero), JsonCommand.Read(Encoding.UTF8.GetBytes(json), type, null, header).Deadline);

    [Fact]
    public void A_deadline_that_is_no_time_is_refused() => Assert.Equal(
        (ErrorCodes.InvalidArgument, DeadlineHeader.Name),
        Assert.Throws<StorageException>(() => JsonCommand.Read("""{"command":"StartPool","arguments":{"pool":"p"}}"""u8.ToArray(), null, null, "soon"))
            is { Error: var error } ? (error.Code, error.Field) : default);

    [Theory]
    [InlineData("""{"command":"Explode","arguments":{}}""", null, ErrorCodes.InvalidArgument, "command")]
    [InlineData("""{}""", "Explode", ErrorCodes.InvalidArgument, "type")]
    [InlineData("""{"command":"StartPool","arguments":[]}""", null, ErrorCodes.InvalidDocument, "arguments")]
    [InlineData("""{"command":"StartPool","arguments":{}}""", null, ErrorCodes.InvalidDocument, "arguments.pool")]
    [InlineData("""{"command":"StartPool","arguments":{"pool":"p","forc":true}}""", null, ErrorCodes.UnknownField, "arguments.forc")]
    [InlineData("""{"command":"StartPool","arguments":{"pool":"p"},"x":1}""", null, ErrorCodes.UnknownField, "x")]
    [InlineData("""{"pool":"p","forc":true}""", "StartPool", ErrorCodes.UnknownField, "forc")]
    [InlineData("""[]""", "StartPool", ErrorCodes.InvalidDocument, "$")]
    [InlineData("""{"command":"StartPool","arguments":{"pool":"p","commandId":"11111111-2222-4333-8444-555555555555"},"commandId":"8e03978e-40d5-43dd-bc93-6894a57f9324"}""",
        null, ErrorCodes.InvalidArgument, "commandId")]
    [InlineData("not json", null, ErrorCodes.InvalidDocument, "$")]
    [InlineData("""{"pool":"p","pool":"q"}""", "StartPool", ErrorCodes.InvalidDocument, "$")]
    [InlineData("""{"command":"StartPool","arguments":{"pool":"p","pool":"q"}}""", null, ErrorCodes.InvalidDocument, "arguments")]
    [InlineData("""{"command":"StartPool","arguments":{"pool":"p","POOL":"q"}}""", null, ErrorCodes.InvalidDocument, "arguments.POOL")]
    public void A_message_that_cannot_be_read_is_refused_with_the_place(string json, string? type, string code, string field)
    {
        var error = Assert.Throws<StorageException>(() => JsonCommand.Read(Encoding.UTF8.GetBytes(json), type, Id)).Error;
        Assert.Equal((code, field), (error.Code, error.Field));
    }

    [Fact]
    public void A_volume_of_a_list_that_is_null_is_refused()
    {
        var command = JsonCommand.Read("""{"pool":"p","volumes":[{"name":"a","capacity":1},null]}"""u8.ToArray(), "CreateVolumes", null).Command;
        var error = Assert.Throws<StorageException>(() => CommandRules.Complete(command)).Error;
        Assert.Equal((ErrorCodes.InvalidDocument, "volumes[1]"), (error.Code, error.Field));
    }

    [Fact]
    public void A_list_of_names_is_read_and_an_empty_one_refused()
    {
        var command = Assert.IsType<DeleteVolumes>(JsonCommand.Read("""{"command":"DeleteVolumes","arguments":{"pool":"p","volumes":["a","b"],"force":true}}"""u8.ToArray(), null, Id).Command);
        Assert.Equal(("p", "a b", true), (command.Pool, string.Join(' ', command.Volumes), command.Force));
        var error = Assert.Throws<StorageException>(() => CommandRules.Complete(command with { Volumes = [] })).Error;
        Assert.Equal((ErrorCodes.InvalidArgument, "volumes"), (error.Code, error.Field));
    }

    [Fact]
    public void A_body_over_the_limit_is_refused() =>
        Assert.Equal(ErrorCodes.TooLarge, Assert.Throws<StorageException>(() => JsonCommand.Read(new byte[JsonCommand.Limit + 1], null, null)).Error.Code);
}
