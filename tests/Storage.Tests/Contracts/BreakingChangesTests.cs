using System.Text.Json.Nodes;
using Xunit;

namespace Storage.Tests;

public sealed class BreakingChangesTests
{
    [Theory]
    [InlineData("""{"properties":{"a":{}}}""", """{"properties":{}}""", "S.a is gone")]
    [InlineData("""{"type":["string","null"]}""", """{"type":"string"}""", "S no longer has type null")]
    [InlineData("""{}""", """{"type":"string"}""", "S now has a limited type")]
    [InlineData("""{"type":"number"}""", """{"type":"integer"}""", "S no longer has type number")]
    [InlineData("""{"enum":["a","b"]}""", """{"enum":["a"]}""", "S no longer has value b")]
    [InlineData("""{"type":"string"}""", """{"type":"string","enum":["a"]}""", "S now has a limited value")]
    [InlineData("""{"properties":{"a":{}}}""", """{"properties":{"a":{}},"required":["a"]}""", "S.a is now required")]
    [InlineData("""{"items":{"type":"integer"}}""", """{"items":{"type":"string"}}""", "S[] no longer has type integer")]
    [InlineData("""{"properties":{"a":{"$ref":"#/x"}}}""", """{"properties":{"a":{"$ref":"#/y"}}}""", "S.a has another $ref")]
    [InlineData("""{"anyOf":[{"type":"string"},{"type":"null"}]}""", """{"anyOf":[{"type":"string"}]}""", "S no longer allows {\"type\":\"null\"}")]
    [InlineData("""{"allOf":[{"properties":{"a":{}}}]}""", """{"allOf":[{}]}""", "S.a is gone")]
    [InlineData("""{"minimum":0}""", """{"minimum":1}""", "S has a higher minimum")]
    [InlineData("""{"type":"integer"}""", """{"type":"integer","maximum":5}""", "S has a lower maximum")]
    [InlineData("""{"default":false}""", """{"default":true}""", "S has another default")]
    [InlineData("""{"type":"string"}""", """{"type":"string","pattern":"a"}""", "S has another pattern")]
    public void A_narrower_schema_is_reported(string old, string @new, string expected) =>
        Assert.Equal([expected], BreakingChanges.Between(Schema(old), Schema(@new)));

    [Theory]
    [InlineData("""{"properties":{}}""", """{"properties":{"a":{}}}""")]
    [InlineData("""{"type":"string"}""", """{"type":["string","null"]}""")]
    [InlineData("""{"type":"integer"}""", """{"type":"number"}""")]
    [InlineData("""{"enum":["a"]}""", """{"enum":["a","b"]}""")]
    [InlineData("""{"required":["a"]}""", """{"required":[]}""")]
    [InlineData("""{"anyOf":[{"type":"string"}]}""", """{"anyOf":[{"type":"null"},{"type":"string"}]}""")]
    [InlineData("""{"description":"a","minimum":1}""", """{"description":"b"}""")]
    public void A_wider_schema_breaks_nobody(string old, string @new) =>
        Assert.Empty(BreakingChanges.Between(Schema(old), Schema(@new)));

    [Theory]
    [InlineData("""{"channels":{"c":{"address":"a"}}}""", """{}""", "channel c is gone")]
    [InlineData("""{"channels":{"c":{"address":"a"}}}""", """{"channels":{"c":{"address":"b"}}}""", "channel c has another address")]
    [InlineData("""{"channels":{"c":{"messages":{"m":{}}}}}""", """{"channels":{"c":{"messages":{}}}}""", "channel c no longer has message m")]
    [InlineData("""{"components":{"messages":{"m":{}}}}""", """{"components":{"messages":{}}}""", "message m is gone")]
    [InlineData("""{"components":{"schemas":{"S":{}}}}""", """{"components":{"schemas":{}}}""", "S is gone")]
    [InlineData("""{"operations":{"o":{"action":"send"}}}""", """{"operations":{"o":{"action":"receive"}}}""", "operation o has another action or channel")]
    public void What_is_gone_or_elsewhere_is_reported(string old, string @new, string expected) =>
        Assert.Equal([expected], BreakingChanges.Between(JsonNode.Parse(old)!, JsonNode.Parse(@new)!));

    private static JsonObject Schema(string schema) => new JsonObject
    {
        ["components"] = new JsonObject { ["schemas"] = new JsonObject { ["S"] = JsonNode.Parse(schema) } },
    };
}
