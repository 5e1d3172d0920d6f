using System.Diagnostics;
using Microsoft.EntityFrameworkCore;
using Storage.Contracts;
using Storage.Ledger;

namespace Storage.Api;

/// <summary>Hands a request's command to the ledger and answers with its operation.</summary>
public sealed class CommandSubmission(
    CommandIntake intake, EventFeed feed, IDbContextFactory<LedgerDb> ledger, OperationViews views, TimeProvider clock,
    IHostApplicationLifetime lifetime)
{
    /// <param name="http">The request: its headers say the idempotency key, how long to wait and when the operation expires.</param>
    /// <param name="command">Makes the command with the id that the client chose.</param>
    /// <returns>
    /// 202 with the operation; after a wait (<c>Prefer: wait</c>) 200 with the succeeded operation, or the problem that it ended with.
    /// </returns>
    /// <exception cref="StorageException">The command was refused; nothing was accepted.</exception>
    public async Task<IResult> SubmitAsync(HttpContext http, Func<Guid?, ICommand> command)
    {
        var wait = WaitPreference.Read(http.Request.Headers["Prefer"]);
        var deadline = clock.GetUtcNow() + ExpiresIn.Read(http.Request.Headers);
        var accepted = command(IdempotencyKey.Read(http.Request.Headers) ?? Guid.CreateVersion7());
        // Who waits looks out before there is anything to miss.
        using var end = wait is null ? null : feed.Expect(accepted.CommandId!.Value);
        var operation = await AcceptAsync(accepted, deadline, http.RequestAborted);
        http.Response.Headers.Location = $"/v1/{Resources.Operation(operation.Id)}";
        if (wait is { } atMost)
        {
            http.Response.Headers["Preference-Applied"] = WaitPreference.Applied(atMost);
            operation = await WaitAsync(operation, end!, atMost, http.RequestAborted);
            if (operation.Ended && operation.State != OperationState.Succeeded)
                return Problem.Of(OperationView.ErrorOf(operation), operation.Id).ToResult();
        }
        await using var db = await ledger.CreateDbContextAsync(http.RequestAborted);
        var view = await views.ViewAsync(db, operation, http.RequestAborted);
        var ended = wait is not null && operation.Ended;
        return TypedResults.Json(view, StorageJson.Options, statusCode: ended ? StatusCodes.Status200OK : StatusCodes.Status202Accepted);
    }

    private async Task<OperationRow> AcceptAsync(ICommand command, DateTimeOffset? deadline, CancellationToken aborted)
    {
        try
        {
            return await intake.AcceptAsync(command, Activity.Current?.Id, aborted, deadline: deadline);
        }
        catch (StorageException e) when (e.Error.Field is { } field && PartInBody(command) is { } part && field.StartsWith(part, StringComparison.Ordinal))
        {
            throw new StorageException(e.Error with { Field = field[part.Length..].TrimStart('.') }, e);
        }
    }

    /// <summary>The part of the command that is the request's body: the client knows its fields without it.</summary>
    private static string? PartInBody(ICommand command) => command switch
    {
        DefinePool => "definition",
        CreateVolume or CloneVolume => "volume.",
        CreateVolumes => "volumes",
        _ => null,
    };

    private async Task<OperationRow> WaitAsync(OperationRow operation, EventFeed.ExpectedEnd end, TimeSpan atMost, CancellationToken aborted)
    {
        if (operation.Ended)
            return operation;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(aborted, lifetime.ApplicationStopping);
        try
        {
            return await end.WaitAsync(operation, atMost, stop.Token);
        }
        catch (OperationCanceledException) when (!aborted.IsCancellationRequested)
        {
            // The service stops: the operation goes on without it.
            return operation;
        }
    }
}
