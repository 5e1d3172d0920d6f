using System.Text.RegularExpressions;
using Storage.Contracts;
using Storage.Hosting;

namespace Storage.Api;

/// <summary>What an exception means to a client.</summary>
public static partial class Failures
{
    public static StorageError ErrorOf(Exception exception) => exception switch
    {
        StorageException storage => storage.Error,
        BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } => TooLarge,
        BadHttpRequestException bad => ErrorOfBinding(bad),
        _ when TransientFailures.Is(exception) => new StorageError(
            ErrorCodes.ServiceUnavailable, "The database or the broker cannot be reached at the moment.", Retryable: true),
        _ => new StorageError(ErrorCodes.Internal, "An unexpected error; the log of the service says more."),
    };

    /// <summary>An error for a status that the web framework itself set.</summary>
    public static StorageError? ErrorOfStatus(int status, HttpRequest request) => status switch
    {
        StatusCodes.Status401Unauthorized => new(ErrorCodes.Unauthorized, "A bearer token is required."),
        StatusCodes.Status404NotFound => new(ErrorCodes.NotFound, $"There is nothing at {request.Path}."),
        StatusCodes.Status405MethodNotAllowed => new(ErrorCodes.MethodNotAllowed, $"{request.Method} is not possible at {request.Path}."),
        StatusCodes.Status406NotAcceptable => new(ErrorCodes.NotAcceptable, "None of the accepted media types is offered.", "Accept"),
        StatusCodes.Status413PayloadTooLarge => TooLarge,
        StatusCodes.Status415UnsupportedMediaType => new(
            ErrorCodes.UnsupportedMediaType,
            request.ContentType is { } type ? $"'{type}' is not read here." : "The request has no Content-Type.", "Content-Type"),
        StatusCodes.Status503ServiceUnavailable => new(ErrorCodes.ServiceUnavailable, "Not available at the moment.", Retryable: true),
        >= 500 => new(ErrorCodes.Internal, "An unexpected error."),
        >= 400 => new(ErrorCodes.InvalidDocument, "The request cannot be read."),
        _ => null,
    };

    private static StorageError TooLarge => new(ErrorCodes.TooLarge, "The request body is too large.");

    // The framework tells only in its message which parameter it could not read.
    private static StorageError ErrorOfBinding(BadHttpRequestException exception) =>
        BindingMessage().Match(exception.Message) is { Success: true } match
            ? new(ErrorCodes.InvalidArgument,
                $"'{match.Groups["value"].Value}' is not a value of {match.Groups["name"].Value}.", match.Groups["name"].Value)
            : new(ErrorCodes.InvalidDocument, exception.Message);

    [GeneratedRegex("""^Failed to bind parameter "\S+ (?<name>\w+)" from "(?<value>.*)"\.$""", RegexOptions.Singleline)]
    private static partial Regex BindingMessage();
}
