using Microsoft.Extensions.Logging;
using Storage.Contracts;

namespace Storage.Worker;

internal static partial class WorkerLog
{
    [LoggerMessage(3000, LogLevel.Information, "The {Family} worker of host {Host} is active: instance {Instance}, state in {Folder}.")]
    public static partial void Active(ILogger log, PoolFamily family, string host, Guid instance, string folder);

    [LoggerMessage(3001, LogLevel.Warning, "Standby: another process is the {Family} worker of host {Host} ({Folder} is locked).")]
    public static partial void Standby(ILogger log, PoolFamily family, string host, string folder);

    [LoggerMessage(3002, LogLevel.Information, "The {Family} worker stops; {Running} runs are cut off, to be resumed at the next start.")]
    public static partial void Stopping(ILogger log, PoolFamily family, int running);

    [LoggerMessage(3003, LogLevel.Information, "Taken from the journal: {Resumed} runs to go on with, {Unreported} outcomes to report.")]
    public static partial void TakenFromJournal(ILogger log, int resumed, long unreported);

    [LoggerMessage(3004, LogLevel.Warning, "The runs did not end within {Seconds} s after the stop: they are left to the next start.")]
    public static partial void RunsAbandoned(ILogger log, double seconds);

    [LoggerMessage(3010, LogLevel.Debug, "{Command} {OperationId} of pool {Pool} starts (resumed: {Resumed}).")]
    public static partial void RunStarted(ILogger log, string command, Guid operationId, string? pool, bool resumed);

    [LoggerMessage(3011, LogLevel.Information, "{Command} {OperationId} of pool {Pool} ended after {Milliseconds} ms: {Outcome}.")]
    public static partial void RunEnded(ILogger log, string command, Guid operationId, string? pool, double milliseconds, string outcome);

    [LoggerMessage(3012, LogLevel.Warning, "{Command} {OperationId} of pool {Pool} failed: {Code}: {Error}")]
    public static partial void RunFailed(ILogger log, string command, Guid operationId, string? pool, string code, string error);

    [LoggerMessage(3013, LogLevel.Error, "{Command} {OperationId} of pool {Pool} failed unexpectedly.")]
    public static partial void RunFailedUnexpectedly(ILogger log, Exception e, string command, Guid operationId, string? pool);

    [LoggerMessage(3014, LogLevel.Information, "{Command} {OperationId} of pool {Pool} was cut off.")]
    public static partial void RunCutOff(ILogger log, string command, Guid operationId, string? pool);

    [LoggerMessage(3015, LogLevel.Warning, "Undoing {OperationId}: volume {Volume} could not be removed.")]
    public static partial void UndoFailed(ILogger log, Exception e, Guid operationId, string volume);

    [LoggerMessage(3016, LogLevel.Debug, "{OperationId} was delivered again ({Standing}).")]
    public static partial void Redelivered(ILogger log, Guid operationId, RunStanding standing);

    [LoggerMessage(3017, LogLevel.Warning, "Undoing {OperationId}: pool {Pool} could not be stopped.")]
    public static partial void UndoStartFailed(ILogger log, Exception e, Guid operationId, string? pool);

    [LoggerMessage(3018, LogLevel.Warning, "{OperationId} ended early; volume {Volume} could not be looked at.")]
    public static partial void LookFailed(ILogger log, Exception e, Guid operationId, string volume);

    [LoggerMessage(3020, LogLevel.Warning, "The inventory cannot be reached; a report of {Events} events waits.")]
    public static partial void ReportNotSent(ILogger log, Exception e, int events);

    [LoggerMessage(3021, LogLevel.Information, "The inventory is reached again after {Attempts} attempts.")]
    public static partial void ReportsSentAgain(ILogger log, int attempts);

    [LoggerMessage(3030, LogLevel.Error, "The journal could not be written.")]
    public static partial void JournalFailed(ILogger log, Exception e);

    [LoggerMessage(3040, LogLevel.Warning, "Probing pools of type {Type} failed.")]
    public static partial void ProbeFailed(ILogger log, Exception e, PoolType type);

    [LoggerMessage(3041, LogLevel.Information, "Pools of type {Type}: available {Available} {Reason}")]
    public static partial void Probed(ILogger log, PoolType type, bool available, string? reason);

    [LoggerMessage(3060, LogLevel.Warning, "The inventory has taken no announcement for {Seconds} s: {Count} runs that any replica may do are cut off until it does.")]
    public static partial void LeaseEnded(ILogger log, double seconds, int count);

    [LoggerMessage(3061, LogLevel.Warning, "The inventory does not say who runs {OperationId}; it waits.")]
    public static partial void HoldNotAnswered(ILogger log, Exception e, Guid operationId);

    [LoggerMessage(3062, LogLevel.Information, "{Command} {OperationId} is not run here: {Decision}.")]
    public static partial void NotHeld(ILogger log, string command, Guid operationId, HoldDecision decision);

    [LoggerMessage(3064, LogLevel.Warning, "The store of secrets does not answer for {OperationId}.")]
    public static partial void SecretNotAnswered(ILogger log, Exception e, Guid operationId);

    [LoggerMessage(3050, LogLevel.Warning, "The storage at {Storage} does not answer: a call that gave no sign for {Seconds} s is abandoned.")]
    public static partial void Hangs(ILogger log, string storage, double seconds);

    [LoggerMessage(3051, LogLevel.Information, "The storage at {Storage} answers: an abandoned call came back after {Seconds} s.")]
    public static partial void CameBack(ILogger log, Exception? e, string storage, double seconds);

    [LoggerMessage(3070, LogLevel.Warning, "Directories cannot be watched: {Error}. Raise {Setting}. Pools that are not watched are refreshed more often instead; this is told once.")]
    public static partial void NotWatched(ILogger log, string error, string setting);

    [LoggerMessage(3071, LogLevel.Warning, "What has changed in pool {Pool} could not be looked at; it is to be refreshed.")]
    public static partial void WatchedLookFailed(ILogger log, Exception e, string? pool);

    [LoggerMessage(3072, LogLevel.Information, "How full pool {Pool} is could not be seen; the next change or refresh tells it.")]
    public static partial void SpaceNotSeen(ILogger log, Exception e, string? pool);
}
