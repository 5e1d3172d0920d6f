using Microsoft.Extensions.Logging.Abstractions;
using Storage.Worker;

namespace Storage.HostTests;

/// <summary>Runs tools as a worker does.</summary>
internal static class RealTools
{
    private static readonly CliWrapToolRunner Runner = new(NullLogger<CliWrapToolRunner>.Instance);

    /// <exception cref="Contracts.StorageException">As <see cref="IToolRunner.RunAsync"/>.</exception>
    public static Task<ToolOutput> RunAsync(HostCommand command) => Runner.RunAsync(command, CancellationToken.None);

    /// <summary>What it printed, without the last newline.</summary>
    public static async Task<string> PrintedAsync(HostCommand command) => (await RunAsync(command)).Stdout.TrimEnd('\n');
}
