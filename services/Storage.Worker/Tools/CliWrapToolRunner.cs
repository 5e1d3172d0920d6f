using System.Collections;
using System.ComponentModel;
using System.Diagnostics;
using CliWrap;
using Microsoft.Extensions.Logging;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// Runs tools with CliWrap: no shell, <c>LC_ALL=C</c>, an environment of PATH and HOME only, bounded output, and a session of its own
/// for each tool, so that it can be killed with all that it started.
/// </summary>
public sealed partial class CliWrapToolRunner(ILogger<CliWrapToolRunner> logger) : IToolRunner
{
    private static readonly string[] Inherited = ["HOME"];

    /// <summary>How long a killed tool is waited for.</summary>
    private static readonly TimeSpan KillGrace = TimeSpan.FromSeconds(5);

    public async Task<ToolOutput> RunAsync(HostCommand command, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var path = ToolPath.Find(command.Program) ?? throw Missing(command, null);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        stop.CancelAfter(command.Deadline);
        var stdout = new OutputStart(ToolOutput.MaxStdout, stop.Cancel, command.OnOutput);
        var stderr = new OutputTail(ToolOutput.MaxStderr);
        var started = Stopwatch.GetTimestamp();
        using var note = LaneWork.Running?.Tools?.Expect();
        WorkerSteps.Pass(WorkerSteps.ToolStarting);
        CommandTask<CommandResult> running;
        try
        {
            running = InOwnSession(path, command.Arguments)
                .WithEnvironmentVariables(Environment(command, note?.Mark))
                .WithStandardInputPipe(Input(command))
                .WithStandardOutputPipe(stdout.Target)
                .WithStandardErrorPipe(stderr.Target)
                .WithValidation(CommandResultValidation.None)
                .ExecuteAsync(stop.Token);
        }
        catch (Exception e) when (e is Win32Exception || e.InnerException is Win32Exception)
        {
            throw Missing(command, e);
        }
        note?.Started(running.ProcessId);
        var session = new ToolSession(running.ProcessId);
        // Registered after CliWrap's own handler and so called before it: the session goes while its leader still names it.
        using var kill = stop.Token.Register(session.Kill);
        using var enough = new CancellationTokenSource();
        using var limited = stop.Token.Register(() => enough.CancelAfter(KillGrace));
        using var stall = new StallWatch(session, command.StallLimit, () => stdout.Total + stderr.Total, stop.Cancel);
        try
        {
            var result = await running.Task.WaitAsync(enough.Token);
            WorkerSteps.Pass(WorkerSteps.ToolEnded);
            var output = new ToolOutput(result.ExitCode, stdout.Text, command.Redact(stderr.Text), Stopwatch.GetElapsedTime(started));
            if (!command.AcceptedExitCodes.Contains(output.ExitCode))
                throw Failed(command, output);
            Ran(command, output.ExitCode, output.Duration);
            return output;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            var duration = Stopwatch.GetElapsedTime(started);
            await GoneAsync(command, session, enough.Token);
            if (cancellationToken.IsCancellationRequested)
            {
                Cancelled(command, duration);
                throw new OperationCanceledException(cancellationToken);
            }
            var (reason, error) = stdout.Overflown ? ("too much output", TooMuch(command))
                : stall.Stalled is { } silence ? ($"stalled for {silence}", Stalled(command, silence, stderr))
                : ("over its deadline", TimedOut(command, stderr));
            Killed(command, duration, reason);
            throw error;
        }
    }

    /// <summary>A tool that the kernel does not let go, as it waits for storage that hangs, is counted where it was run.</summary>
    private async Task GoneAsync(HostCommand command, ToolSession session, CancellationToken enough)
    {
        var gone = session.GoneAsync(CancellationToken.None);
        try
        {
            await gone.WaitAsync(enough);
        }
        catch (OperationCanceledException)
        {
            LeftBehind(command, KillGrace.TotalSeconds);
            LaneWork.Running?.Hold(gone);
        }
    }

    /// <summary>setsid(1) becomes the tool itself: same process, same exit code. Without it only the tool's own process tree is killed.</summary>
    private static Command InOwnSession(string path, IReadOnlyList<string> arguments) =>
        ToolPath.Find("setsid") is { } setsid
            ? Cli.Wrap(setsid).WithArguments(arguments.Prepend(path))
            : Cli.Wrap(path).WithArguments(arguments);

    private static PipeSource Input(HostCommand command) => command switch
    {
        // Written as it lies: no copy of it stays behind.
        { SecretInput: { } secret } => PipeSource.Create(async (input, cancellationToken) => await input.WriteAsync(secret.Bytes, cancellationToken)),
        { Input: { } text } => PipeSource.FromString(text),
        _ => PipeSource.Null,
    };

    private static Dictionary<string, string?> Environment(HostCommand command, string? mark)
    {
        var variables = System.Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .Select(variable => (string)variable.Key)
            .Where(name => !Inherited.Contains(name))
            .ToDictionary(name => name, _ => (string?)null);
        variables["PATH"] = ToolPath.Variable;
        variables["LC_ALL"] = "C";
        variables[ToolNote.Variable] = mark;
        foreach (var (name, value) in command.Variables)
            variables[name] = value;
        return variables;
    }

    private static StorageException Missing(HostCommand command, Exception? cause) => new(
        new StorageError(ErrorCodes.ToolMissing, $"{command.Tool} is not installed or cannot be executed.", Tool: command.Tool), cause);

    private StorageException Failed(HostCommand command, ToolOutput output)
    {
        ExitedWith(command, output.ExitCode, output.Duration, output.Stderr);
        return new(new StorageError(
            ErrorCodes.ToolFailed,
            $"{command.Tool} ended with exit code {output.ExitCode}: {LastLine(output.Stderr)}",
            Tool: command.Tool, ExitCode: output.ExitCode, Stderr: output.Stderr));
    }

    private static StorageException TooMuch(HostCommand command) => new(new StorageError(
        ErrorCodes.ToolFailed, $"{command.Tool} printed more than {ToolOutput.MaxStdout} bytes and was stopped.", Tool: command.Tool));

    private static StorageException TimedOut(HostCommand command, OutputTail stderr) => new(new StorageError(
        ErrorCodes.Timeout, $"{command.Tool} did not end within {command.Deadline} and was stopped.",
        Retryable: true, Tool: command.Tool, Stderr: command.Redact(stderr.Text)));

    private static StorageException Stalled(HostCommand command, TimeSpan silence, OutputTail stderr) => new(new StorageError(
        ErrorCodes.Timeout, $"{command.Tool} stalled: for {silence.TotalSeconds:0.#} s it printed, read, wrote and computed nothing. It was stopped.",
        Retryable: true, Tool: command.Tool, Stderr: command.Redact(stderr.Text)));

    private static string LastLine(string stderr) => stderr[(stderr.LastIndexOf('\n') + 1)..];

    [LoggerMessage(3500, LogLevel.Debug, "{Command} ended with exit code {ExitCode} after {Duration}")]
    private partial void Ran(HostCommand command, int exitCode, TimeSpan duration);

    [LoggerMessage(3501, LogLevel.Warning, "{Command} failed with exit code {ExitCode} after {Duration}: {Stderr}")]
    private partial void ExitedWith(HostCommand command, int exitCode, TimeSpan duration, string stderr);

    [LoggerMessage(3502, LogLevel.Warning, "{Command} was killed after {Duration}: {Reason}")]
    private partial void Killed(HostCommand command, TimeSpan duration, string reason);

    [LoggerMessage(3503, LogLevel.Information, "{Command} was killed after {Duration}: it was cancelled")]
    private partial void Cancelled(HostCommand command, TimeSpan duration);

    [LoggerMessage(3504, LogLevel.Error, "{Command} was killed but is still there after {Seconds} s: the kernel does not let it go")]
    private partial void LeftBehind(HostCommand command, double seconds);
}
