using Microsoft.Extensions.Logging.Abstractions;
using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.HostTests;

/// <summary>Tools that do nothing any more, and tools that only seem so.</summary>
public sealed class StalledToolTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);
    private readonly ScriptFolder scripts = new();
    private readonly CliWrapToolRunner runner = new(NullLogger<CliWrapToolRunner>.Instance);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_tool_that_does_nothing_is_killed_and_may_be_tried_again()
    {
        var error = await FailAsync(new HostCommand(scripts.Script($"echo $$ > {scripts.Pids}; exec sleep 1000")) { StallLimit = Limit });
        Assert.Equal((ErrorCodes.Timeout, true), (error.Code, error.Retryable));
        Assert.Contains("stalled", error.Message, StringComparison.Ordinal);
        Assert.Empty(scripts.Alive());
    }

    [Fact]
    public async Task What_a_stalled_tool_started_is_killed_also_when_it_is_deaf_to_the_usual_signal_and_an_orphan_in_a_group_of_its_own()
    {
        // A signal to the tool's group does not reach it, and as its parent has ended it is no descendant of the tool any more.
        Requires.Tool("perl");
        var tool = scripts.Script($"""
            (perl -e 'setpgrp; exec @ARGV' sh -c 'trap "" TERM HUP; sleep 1000 & echo $! >> {scripts.Pids}; echo $$ >> {scripts.Pids}; wait' &)
            echo $$ >> {scripts.Pids}
            exec sleep 1000
            """);
        var error = await FailAsync(new HostCommand(tool) { StallLimit = Limit });
        Assert.Contains("stalled", error.Message, StringComparison.Ordinal);
        Assert.Equal(3, (await File.ReadAllLinesAsync(scripts.Pids, Cancellation)).Distinct().Count());
        Assert.Empty(scripts.Alive());
    }

    [Theory]
    [InlineData("prints", "for i in 1 2 3 4 5 6; do echo $i; sleep 0.4; done")]
    [InlineData("reads and writes", "for i in 1 2 3 4 5 6; do cat /proc/version > FOLDER/copy; sleep 0.4; done")]
    [InlineData("has a child that computes", "(ulimit -t 2; while :; do :; done); true")]
    public async Task A_tool_that_does_something_is_left_alone(string what, string body)
    {
        var tool = scripts.Script(body.Replace("FOLDER", scripts.Path, StringComparison.Ordinal));
        var output = await runner.RunAsync(new HostCommand(tool) { StallLimit = Limit }, Cancellation);
        Assert.True(output.Duration > Limit, $"It {what} only for {output.Duration}, which proves nothing.");
    }

    [Fact]
    public async Task A_tool_that_may_sleep_is_left_alone()
    {
        var output = await runner.RunAsync(new HostCommand(scripts.Script("sleep 2; echo woken")) { StallLimit = null }, Cancellation);
        Assert.Equal("woken\n", output.Stdout);
    }

    [Fact]
    public async Task A_tool_that_the_kernel_does_not_let_go_is_left_behind()
    {
        var mount = Directory.CreateDirectory(Path.Combine(scripts.Path, "mount")).FullName;
        using (SilentFileSystem.Mount(mount, taking: true))
        {
            var tool = scripts.Script($"echo $$ > {scripts.Pids}; exec stat {mount}/file");
            var error = await FailAsync(new HostCommand(tool) { StallLimit = Limit }).WaitAsync(TimeSpan.FromSeconds(60), Cancellation);
            Assert.Equal((ErrorCodes.Timeout, true), (error.Code, error.Retryable));
            Assert.Equal('D', ScriptFolder.State(Assert.Single(scripts.Alive())));
        }
    }

    [Fact]
    public async Task What_a_tool_prints_is_shown_as_it_comes()
    {
        var go = Path.Combine(scripts.Path, "go");
        var tool = scripts.Script($"mkfifo {go}; printf '    (25.00/100%%)\\r'; cat {go}; printf '    (100.00/100%%)\\r'");
        var seen = new List<string>();
        var output = await runner.RunAsync(
            new HostCommand(tool)
            {
                OnOutput = text =>
                {
                    seen.Add(text);
                    // The tool goes on only when its first output has been seen.
                    if (seen.Count == 1)
                        File.WriteAllText(go, "");
                },
            },
            Cancellation);
        Assert.Equal(2, seen.Count);
        Assert.Equal(output.Stdout, string.Concat(seen));
    }

    public void Dispose() => scripts.Dispose();

    private async Task<StorageError> FailAsync(HostCommand command) =>
        (await Assert.ThrowsAsync<StorageException>(() => runner.RunAsync(command, Cancellation))).Error;
}
