using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Storage.Api;
using Storage.Contracts;
using Xunit;

namespace Storage.Tests;

public sealed class ProblemTests
{
    public static TheoryData<string> Codes => [.. ErrorCodes.All.Keys];

    [Theory]
    [MemberData(nameof(Codes))]
    public void Every_code_has_a_problem_with_its_status(string code)
    {
        var problem = Problem.Of(new StorageError(code, "What happened.", "name", Retryable: true, Resource: "pools/x"));
        Assert.Equal(ErrorCodes.All[code].HttpStatus, problem.Status);
        Assert.Equal(($"urn:storage:error:{code}", code, "What happened."), (problem.Type, problem.Code, problem.Detail));
        Assert.True(char.IsUpper(problem.Title[0]));
        Assert.DoesNotContain('-', problem.Title);
    }

    [Fact]
    public void What_a_tool_said_and_the_operation_are_part_of_the_problem()
    {
        var id = Guid.NewGuid();
        var json = JsonSerializer.SerializeToElement(
            Problem.Of(new StorageError(ErrorCodes.ToolFailed, "m", Tool: "mkfs.ext4", ExitCode: 1, Stderr: "no space"), id), StorageJson.Options);
        Assert.Equal("mkfs.ext4", json.GetProperty("tool").GetString());
        Assert.Equal(1, json.GetProperty("exitCode").GetInt32());
        Assert.Equal("no space", json.GetProperty("stderr").GetString());
        Assert.Equal(id, json.GetProperty("operationId").GetGuid());
        Assert.False(json.TryGetProperty("field", out _));
    }

    [Fact]
    public void A_code_that_is_not_known_is_shown_as_an_internal_error() =>
        Assert.Equal(500, Problem.Of(new StorageError("from-a-newer-worker", "m")).Status);

    [Fact]
    public void An_unexpected_exception_says_nothing_of_itself()
    {
        var error = Failures.ErrorOf(new InvalidOperationException("secret detail"));
        Assert.Equal(ErrorCodes.Internal, error.Code);
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_parameter_that_cannot_be_read_is_named()
    {
        var error = Failures.ErrorOf(new BadHttpRequestException("Failed to bind parameter \"Nullable<bool> transient\" from \"maybe\"."));
        Assert.Equal((ErrorCodes.InvalidArgument, "transient"), (error.Code, error.Field));
    }

    [Fact]
    public void A_database_that_is_away_is_told_from_a_fault() =>
        Assert.Equal(ErrorCodes.ServiceUnavailable, Failures.ErrorOf(new InvalidOperationException("x", new TimeoutException())).Code);

    [Theory]
    [InlineData(404, ErrorCodes.NotFound)]
    [InlineData(405, ErrorCodes.MethodNotAllowed)]
    [InlineData(413, ErrorCodes.TooLarge)]
    [InlineData(415, ErrorCodes.UnsupportedMediaType)]
    [InlineData(200, null)]
    public void A_status_of_the_framework_is_a_problem_too(int status, string? code) =>
        Assert.Equal(code, Failures.ErrorOfStatus(status, new DefaultHttpContext().Request)?.Code);
}
