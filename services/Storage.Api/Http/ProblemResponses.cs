using System.Diagnostics;
using Storage.Contracts;

namespace Storage.Api;

/// <summary>Turns every failure of a request, also those of routing, into <see cref="Problem"/>.</summary>
public sealed class ProblemResponses(RequestDelegate next, ILogger<ProblemResponses> log)
{
    public async Task InvokeAsync(HttpContext http)
    {
        try
        {
            await next(http);
        }
        catch (Exception) when (http.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there to read an answer.
            return;
        }
        catch (Exception e) when (!http.Response.HasStarted)
        {
            var error = Failures.ErrorOf(e);
            if (error.Code is ErrorCodes.Internal or ErrorCodes.ServiceUnavailable)
                Log.RequestFailed(log, http.Request.Method, http.Request.Path, error.Code, e);
            http.Response.Clear();
            await WriteAsync(http, error);
            return;
        }
        if (!http.Response.HasStarted && http.Response.ContentLength is null && http.Response.ContentType is null
            && Failures.ErrorOfStatus(http.Response.StatusCode, http.Request) is { } status)
            await WriteAsync(http, status);
    }

    public static async Task WriteAsync(HttpContext http, StorageError error)
    {
        Activity.Current?.SetTag("storage.error", error.Code);
        if (error.Code == ErrorCodes.Unauthorized)
            http.Response.Headers.WWWAuthenticate = "Bearer";
        if (error.Code == ErrorCodes.ServiceUnavailable)
            http.Response.Headers.RetryAfter = "1";
        // What is left of a refused body must not be read as the next request.
        if (error.Code == ErrorCodes.TooLarge)
            http.Response.Headers.Connection = "close";
        await Problem.Of(error).ToResult().ExecuteAsync(http);
    }
}
