using Xunit;

namespace Storage.HostTests;

/// <summary>How tests in the lab VM are told from those on this machine: by a trait, <c>--filter-trait needs=lab</c>.</summary>
internal static class Lab
{
    public const string Trait = "needs";
    public const string Name = "lab";

    private static readonly string Root = FindRoot(AppContext.BaseDirectory);

    /// <summary>A program of <c>infra/lab</c>.</summary>
    public static string Program(string name) => Path.Combine(Root, "infra", "lab", name);

    private static string FindRoot(string? folder)
    {
        while (folder is not null && !File.Exists(Path.Combine(folder, "Storage.sln")))
            folder = Path.GetDirectoryName(folder);
        return folder ?? throw new DirectoryNotFoundException("Storage.sln is in no folder above the tests.");
    }
}

/// <summary>One test at a time: the VM has two slow processors, and one kernel.</summary>
[CollectionDefinition(Lab.Name)]
public sealed class LabCollection : ICollectionFixture<LabEnd>;

/// <summary>Ends the VM and the agent that the tests have started, if any has.</summary>
public sealed class LabEnd : IAsyncDisposable
{
    public async ValueTask DisposeAsync()
    {
        await LabHost.EndAsync();
        await MachineAgent.EndAsync();
    }
}
