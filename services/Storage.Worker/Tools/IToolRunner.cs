using Storage.Contracts;

namespace Storage.Worker;

/// <summary>Runs the tools of the host.</summary>
public interface IToolRunner
{
    /// <summary>
    /// Runs a tool to its end. When it is cancelled, over its deadline or stalled, the tool and everything that it started is killed
    /// first. One that the kernel does not let go is left behind after a few seconds. What the tool did to the host until then stays:
    /// undoing is the caller's.
    /// </summary>
    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.ToolMissing"/>: not on this host. <see cref="ErrorCodes.ToolFailed"/>: an exit code that is not accepted,
    /// or more output than <see cref="ToolOutput.MaxStdout"/>. <see cref="ErrorCodes.Timeout"/>: over its deadline or stalled, retryable.
    /// </exception>
    Task<ToolOutput> RunAsync(HostCommand command, CancellationToken cancellationToken);
}

/// <param name="ExitCode">One of the accepted exit codes.</param>
/// <param name="Stdout">All of the standard output.</param>
/// <param name="Stderr">The last <see cref="MaxStderr"/> bytes of the standard error, secrets masked.</param>
/// <param name="Duration">How long the tool ran.</param>
public sealed record ToolOutput(int ExitCode, string Stdout, string Stderr, TimeSpan Duration)
{
    public const int MaxStdout = 16 << 20;
    public const int MaxStderr = 4 << 10;
}
