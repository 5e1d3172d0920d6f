using System.Diagnostics;

namespace Storage.Worker;

/// <summary>
/// The steps between which a worker must be able to die: told to whoever listens to the <see cref="DiagnosticListener"/>
/// <c>Storage.Worker</c>. Tests that end the process there do; nobody else needs to.
/// </summary>
internal static class WorkerSteps
{
    public const string JournalCommitting = nameof(JournalCommitting);
    public const string JournalCommitted = nameof(JournalCommitted);
    public const string ToolStarting = nameof(ToolStarting);
    public const string ToolEnded = nameof(ToolEnded);

    /// <summary>A run has done on the host what it had to, and nothing of that is written down.</summary>
    public const string RunEnding = nameof(RunEnding);

    private static readonly DiagnosticListener Steps = new("Storage.Worker");

    public static void Pass(string step)
    {
        if (Steps.IsEnabled(step))
            Steps.Write(step, null);
    }
}
