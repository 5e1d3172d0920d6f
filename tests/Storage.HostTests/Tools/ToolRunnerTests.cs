using Microsoft.Extensions.Logging.Abstractions;
using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.HostTests;

/// <summary>The tool runner with small shell scripts in the place of tools.</summary>
public sealed class ToolRunnerTests : IDisposable
{
    private readonly ScriptFolder scripts = new();
    private readonly CliWrapToolRunner runner = new(NullLogger<CliWrapToolRunner>.Instance);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Arguments_arrive_as_they_are_and_the_locale_is_c()
    {
        var tool = scripts.Script("""printf '%s|' "$@"; printf '%s' "$LC_ALL" """);
        var output = await runner.RunAsync(new HostCommand(tool, "", "a b", "$HOME", "\"", "new\nline", "trailing\\"), Cancellation);
        Assert.Equal("|a b|$HOME|\"|new\nline|trailing\\|C", output.Stdout);
    }

    [Fact]
    public async Task A_tool_that_fails_is_told_with_its_exit_code_and_what_it_said()
    {
        var error = await FailAsync(new HostCommand(scripts.Script("echo 'no such pool' >&2; exit 7")));
        Assert.Equal((ErrorCodes.ToolFailed, 7), (error.Code, error.ExitCode));
        Assert.Contains("no such pool", error.Stderr, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_tool_that_is_not_there_is_told_as_missing() =>
        Assert.Equal(ErrorCodes.ToolMissing, (await FailAsync(new HostCommand(Path.Combine(scripts.Path, "nothing")))).Code);

    [Fact]
    public async Task A_tool_that_hangs_is_killed_with_what_it_started()
    {
        var tool = scripts.Script($"sleep 1000 & echo $! > {scripts.Pids}; echo $$ >> {scripts.Pids}; wait");
        var error = await FailAsync(new HostCommand(tool) { Deadline = TimeSpan.FromSeconds(2) });
        Assert.Equal((ErrorCodes.Timeout, true), (error.Code, error.Retryable));
        Assert.Empty(scripts.Alive());
    }

    [Fact]
    public async Task A_cancelled_tool_is_killed_with_what_it_started()
    {
        var started = Path.Combine(scripts.Path, "started");
        var tool = scripts.Script($"sleep 1000 & echo $! > {scripts.Pids}; echo $$ >> {scripts.Pids}; touch {started}; wait");
        using var cancel = new CancellationTokenSource();
        using var watcher = new FileSystemWatcher(scripts.Path, "started") { EnableRaisingEvents = true };
        watcher.Created += (_, _) => cancel.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => runner.RunAsync(new HostCommand(tool), cancel.Token));
        Assert.Empty(scripts.Alive());
    }

    [Fact]
    public async Task A_tool_that_prints_without_end_is_a_failure_and_not_a_full_memory()
    {
        var error = await FailAsync(new HostCommand(scripts.Script("yes")));
        Assert.Equal(ErrorCodes.ToolFailed, error.Code);
    }

    public void Dispose() => scripts.Dispose();

    private async Task<StorageError> FailAsync(HostCommand command) =>
        (await Assert.ThrowsAsync<StorageException>(() => runner.RunAsync(command, Cancellation))).Error;
}
