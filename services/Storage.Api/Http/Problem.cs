using Storage.Contracts;

namespace Storage.Api;

/// <summary>An error as HTTP shows it: RFC 9457 problem details with the parts of <see cref="StorageError"/>.</summary>
/// <param name="Type"><c>urn:storage:error:</c> and the code.</param>
/// <param name="Title">The code in words.</param>
/// <param name="Status">The HTTP status.</param>
/// <param name="Detail">What happened, for people.</param>
/// <param name="Code">The stable code to act on.</param>
/// <param name="Retryable">The same request may succeed later without any change.</param>
/// <param name="Field">The input at fault: a path in the document, or the name of a parameter or header.</param>
/// <param name="Resource">The pool, volume or operation in the way.</param>
/// <param name="Tool">The host tool that failed.</param>
/// <param name="ExitCode">Its exit code.</param>
/// <param name="Stderr">The end of what it printed.</param>
/// <param name="OperationId">The operation that ended with this error.</param>
public sealed record Problem(
    string Type,
    string Title,
    int Status,
    string Detail,
    string Code,
    bool Retryable,
    string? Field = null,
    string? Resource = null,
    string? Tool = null,
    int? ExitCode = null,
    string? Stderr = null,
    Guid? OperationId = null)
{
    public const string MediaType = "application/problem+json";

    public static Problem Of(StorageError error, Guid? operationId = null)
    {
        var code = ErrorCodes.All.GetValueOrDefault(error.Code) ?? ErrorCodes.All[ErrorCodes.Internal];
        return new Problem(
            $"urn:storage:error:{error.Code}", TitleOf(error.Code), code.HttpStatus, error.Message, error.Code, error.Retryable,
            error.Field, error.Resource, error.Tool, error.ExitCode, error.Stderr, operationId);
    }

    public IResult ToResult() => TypedResults.Json(this, StorageJson.Options, MediaType, Status);

    private static string TitleOf(string code) => char.ToUpperInvariant(code[0]) + code[1..].Replace('-', ' ');
}
