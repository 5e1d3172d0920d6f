using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Storage.Api;
using Storage.Contracts;
using Xunit;

namespace Storage.Tests;

public sealed class RequestHeaderTests
{
    private const string Uuid = "8e03978e-40d5-43dd-bc93-6894a57f9324";

    [Theory]
    [InlineData(Uuid)]
    [InlineData("8E03978E-40D5-43DD-BC93-6894A57F9324")]
    [InlineData("\"" + Uuid + "\"")]
    public void A_key_that_is_a_uuid_is_the_id_itself(string key) => Assert.Equal(new Guid(Uuid), IdempotencyKey.Parse(key));

    [Fact]
    public void Another_key_is_always_mapped_to_the_same_name_based_uuid()
    {
        var id = IdempotencyKey.Parse("nightly-backup-7");
        // Stored in ledgers: must not change.
        Assert.Equal(new Guid("b272246e-019c-5407-90f8-61e030aae2e1"), id);
        Assert.Equal(5, id.Version);
        Assert.Equal(id, IdempotencyKey.Parse("\"nightly-backup-7\""));
        Assert.NotEqual(id, IdempotencyKey.Parse("nightly-backup-8"));
    }

    [Fact]
    public void A_key_has_at_most_255_characters()
    {
        Assert.NotEqual(Guid.Empty, IdempotencyKey.Parse(new string('k', 255)));
        Assert.Equal(ErrorCodes.InvalidArgument, Refusal(() => IdempotencyKey.Parse(new string('k', 256))).Code);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\"\"")]
    [InlineData("two words")]
    [InlineData("tab\t")]
    [InlineData("gr\u00fcn")]
    [InlineData("00000000-0000-0000-0000-000000000000")]
    public void A_key_that_is_none_is_refused(string key)
    {
        var error = Refusal(() => IdempotencyKey.Parse(key));
        Assert.Equal((ErrorCodes.InvalidArgument, IdempotencyKey.Header), (error.Code, error.Field));
    }

    [Fact]
    public void Two_keys_are_refused()
    {
        var headers = new HeaderDictionary { [IdempotencyKey.Header] = new StringValues(["a", "b"]) };
        Assert.Equal(ErrorCodes.InvalidArgument, Refusal(() => IdempotencyKey.Read(headers)).Code);
    }

    [Theory]
    [InlineData("wait=10", 10)]
    [InlineData("WAIT = 10", 10)]
    [InlineData("wait=\"7\"", 7)]
    [InlineData("respond-async, wait=5;foo=bar", 5)]
    [InlineData("wait=5, wait=9", 5)]
    [InlineData("wait=0", 0)]
    [InlineData("wait=301", 300)]
    [InlineData("wait=99999999999", 300)]
    [InlineData("wait=-1", null)]
    [InlineData("wait=soon", null)]
    [InlineData("wait", null)]
    [InlineData("return=minimal", null)]
    [InlineData("", null)]
    public void A_wait_is_read_and_capped(string prefer, int? seconds) =>
        Assert.Equal(seconds is { } s ? TimeSpan.FromSeconds(s) : null, WaitPreference.Read(prefer));

    [Theory]
    [InlineData("1", 1)]
    [InlineData("3600", 3600)]
    [InlineData(null, null)]
    public void The_time_to_expiry_is_read(string? header, int? seconds) =>
        Assert.Equal(seconds is { } s ? TimeSpan.FromSeconds(s) : null, ExpiresIn.Read(Expiring(header)));

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("1.5")]
    [InlineData("soon")]
    [InlineData("31622401")]
    [InlineData("99999999999")]
    public void A_time_to_expiry_that_is_not_understood_is_refused(string header)
    {
        var error = Refusal(() => ExpiresIn.Read(Expiring(header)));
        Assert.Equal((ErrorCodes.InvalidArgument, ExpiresIn.Header), (error.Code, error.Field));
    }

    [Theory]
    [InlineData("\"3\"", null, 3)]
    [InlineData("*", null, 7)]
    [InlineData(null, "*", 0)]
    [InlineData(null, null, null)]
    public async Task A_condition_becomes_the_version_that_is_expected(string? match, string? noneMatch, int? version) =>
        Assert.Equal(version, await VersionTag.ExpectedAsync(Conditions(match, noneMatch), () => Task.FromResult<int?>(7)));

    [Theory]
    [InlineData("3", null, ErrorCodes.InvalidArgument)]
    [InlineData("W/\"3\"", null, ErrorCodes.InvalidArgument)]
    [InlineData("\"3\", \"4\"", null, ErrorCodes.InvalidArgument)]
    [InlineData("\"0\"", null, ErrorCodes.InvalidArgument)]
    [InlineData(null, "\"3\"", ErrorCodes.InvalidArgument)]
    [InlineData("\"3\"", "*", ErrorCodes.InvalidArgument)]
    [InlineData("*", null, ErrorCodes.VersionMismatch)]
    public async Task A_condition_that_cannot_be_met_or_read_is_refused(string? match, string? noneMatch, string code)
    {
        var refused = await Assert.ThrowsAsync<StorageException>(
            () => VersionTag.ExpectedAsync(Conditions(match, noneMatch), () => Task.FromResult<int?>(null)));
        Assert.Equal(code, refused.Error.Code);
    }

    [Theory]
    [InlineData(null, "application/json")]
    [InlineData("*/*", "application/json")]
    [InlineData("application/xml", "application/xml")]
    [InlineData("text/*", "text/xml")]
    [InlineData("application/json;q=0.5, application/xml", "application/xml")]
    [InlineData("application/json;q=0, */*", "application/xml")]
    public void The_best_of_the_accepted_types_is_chosen(string? accept, string chosen) =>
        Assert.Equal(chosen, ContentNegotiation.Choose(Accepting(accept), Offers.Definition));

    [Theory]
    [InlineData("text/html")]
    [InlineData("application/json;q=0")]
    [InlineData("nonsense")]
    public void An_answer_that_is_not_acceptable_is_refused(string accept) =>
        Assert.Equal(ErrorCodes.NotAcceptable, Refusal(() => ContentNegotiation.Choose(Accepting(accept), Offers.Json)).Code);

    [Theory]
    [InlineData("http://127.0.0.1:8080", true)]
    [InlineData("http://localhost:5000", true)]
    [InlineData("http://[::1]:8080", true)]
    [InlineData("http://unix:/run/storage.sock", true)]
    [InlineData("http://0.0.0.0:8080", false)]
    [InlineData("http://[::]:8080", false)]
    [InlineData("http://*:8080", false)]
    [InlineData("https://10.0.0.5:443", false)]
    public void Only_loopback_is_local(string address, bool local) => Assert.Equal(local, Access.IsLocal(address));

    private static HeaderDictionary Conditions(string? match, string? noneMatch)
    {
        var headers = new HeaderDictionary();
        if (match is not null)
            headers["If-Match"] = match;
        if (noneMatch is not null)
            headers["If-None-Match"] = noneMatch;
        return headers;
    }

    private static HeaderDictionary Expiring(string? header) => header is null ? [] : new HeaderDictionary { [ExpiresIn.Header] = header };

    private static HttpRequest Accepting(string? accept)
    {
        var request = new DefaultHttpContext().Request;
        if (accept is not null)
            request.Headers.Accept = accept;
        return request;
    }

    [Theory]
    [InlineData("max-age=0", 0)]
    [InlineData("max-age=60", 60)]
    [InlineData("no-transform, Max-Age = \"7\", no-store", 7)]
    [InlineData("max-age=99999999999", int.MaxValue)]
    [InlineData("no-cache", null)]
    [InlineData("", null)]
    public void The_age_that_a_client_takes_is_read(string value, int? seconds) => Assert.Equal(
        seconds, MaxAge.Read(new HeaderDictionary { ["Cache-Control"] = value })?.TotalSeconds is { } read ? (int)read : null);

    [Theory]
    [InlineData("max-age")]
    [InlineData("max-age=soon")]
    [InlineData("max-age=-1")]
    [InlineData("max-age=1.5")]
    public void An_age_that_is_none_is_refused(string value)
    {
        var error = Refusal(() => MaxAge.Read(new HeaderDictionary { ["Cache-Control"] = value }));
        Assert.Equal((ErrorCodes.InvalidArgument, "Cache-Control"), (error.Code, error.Field));
    }

    private static StorageError Refusal(Func<object?> act) => Assert.Throws<StorageException>(act).Error;
}
