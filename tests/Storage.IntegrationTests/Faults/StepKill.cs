using System.Diagnostics;
using Xunit;

namespace Storage.IntegrationTests;

/// <summary>Starts a service so that it kills itself at some pass of a step that it tells of; see Storage.FaultHook.</summary>
public static class StepKill
{
    public const string JournalCommitting = "Storage.Worker/JournalCommitting";
    public const string JournalCommitted = "Storage.Worker/JournalCommitted";
    public const string ToolStarting = "Storage.Worker/ToolStarting";
    public const string ToolEnded = "Storage.Worker/ToolEnded";
    public const string RunEnding = "Storage.Worker/RunEnding";
    public const string LedgerCommitting = "Storage.Ledger/Committing";
    public const string LedgerCommitted = "Storage.Ledger/Committed";
    public const string BeforeSend = "send/before";
    public const string AfterSend = "send/after";

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(6);

    /// <summary>Starts a service that is down, and returns when it is down again: killed from outside where it does not come to the step in time.</summary>
    /// <returns>Whether it came to the step.</returns>
    public static async Task<bool> RunAsync(ServiceProcess service, string step, int pass, TimeSpan? within = null)
    {
        await service.LaunchAsync(new Dictionary<string, string>
        {
            ["DOTNET_STARTUP_HOOKS"] = BuiltServices.Find("Storage.FaultHook"),
            ["STORAGE_KILL_AT"] = $"{step}#{pass}",
        });
        for (var watch = Stopwatch.StartNew(); watch.Elapsed < (within ?? Limit);)
        {
            if (!service.Running)
                return true;
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
        await service.KillAsync();
        return false;
    }
}
