using Xunit;

namespace Storage.HostTests;

/// <summary>
/// This run of the tests. All that it makes in temporary folders is in one folder with one guard, so that also a run that is killed leaves
/// nothing of it mounted, attached or lying about.
/// </summary>
internal sealed class TestRun : IAsyncLifetime
{
    public const string Temporary = "TMPDIR";

    /// <summary>Says that the run wants all clusters: they are then started beside one another and not when each is first asked for.</summary>
    private const string Wants = "STORAGE_TEST_CLUSTERS";

    private static GuardedFolder? folder;

    /// <summary>Where temporary folders of this run are.</summary>
    public static string Folder => folder!.Path;

    /// <summary>Where they are of a run that has no folder of its own yet.</summary>
    public static string? Outside { get; private set; }

    public ValueTask InitializeAsync()
    {
        Outside = Environment.GetEnvironmentVariable(Temporary);
        folder = GuardedFolder.Of("run");
        Environment.SetEnvironmentVariable(Temporary, folder.Path);
        // Whatever is started from now on goes with the folder too.
        Environment.SetEnvironmentVariable(GuardedFolder.Mark, folder.Path);
        if (Environment.GetEnvironmentVariable(Wants) is { Length: > 0 })
            Clusters.StartAll();
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await Clusters.EndAsync();
        ConformanceTable.Print();
        Environment.SetEnvironmentVariable(Temporary, Outside);
        await folder!.DisposeAsync();
    }
}
