using System.Diagnostics;

namespace Storage.Ledger;

/// <summary>
/// The steps between which a service must be able to die: told to whoever listens to the <see cref="DiagnosticListener"/>
/// <c>Storage.Ledger</c>. Tests that end the process there do; nobody else needs to.
/// </summary>
internal static class LedgerSteps
{
    public const string Committing = nameof(Committing);
    public const string Committed = nameof(Committed);

    private static readonly DiagnosticListener Steps = new("Storage.Ledger");

    public static void Pass(string step)
    {
        if (Steps.IsEnabled(step))
            Steps.Write(step, null);
    }
}
