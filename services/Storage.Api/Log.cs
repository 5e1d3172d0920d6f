namespace Storage.Api;

internal static partial class Log
{
    [LoggerMessage(6000, LogLevel.Error, "{Method} {Path} failed with {Code}")]
    public static partial void RequestFailed(ILogger log, string method, string path, string code, Exception exception);

    [LoggerMessage(6100, LogLevel.Information, "Taking commands from {Queue}")]
    public static partial void DoorOpen(ILogger log, string queue);

    [LoggerMessage(6101, LogLevel.Warning, "The broker is away; trying again in {Delay}")]
    public static partial void DoorClosed(ILogger log, TimeSpan delay, Exception exception);

    [LoggerMessage(6102, LogLevel.Information, "Command {CommandId} by message was refused: {Code} {Detail}")]
    public static partial void CommandRefused(ILogger log, Guid? commandId, string code, string detail);

    [LoggerMessage(6103, LogLevel.Warning, "A command by message became dead letter {Letter}: {Code} {Detail}")]
    public static partial void MessageDied(ILogger log, Guid letter, string code, string detail);

    [LoggerMessage(6104, LogLevel.Warning, "A command by message waits for the database; trying again in {Delay}")]
    public static partial void DatabaseAway(ILogger log, TimeSpan delay, Exception exception);

    [LoggerMessage(6105, LogLevel.Error, "A command by message failed unexpectedly")]
    public static partial void MessageFailed(ILogger log, Exception exception);
}
