using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Storage.TestServers;
using Storage.Worker;
using Xunit;

namespace Storage.HostTests;

/// <summary>Tools that run on when their worker was killed: the notes that it left are what the next one has of them.</summary>
public sealed class StartedToolsTests : IDisposable
{
    private readonly ScriptFolder scripts = new();
    private readonly Process tool;

    public StartedToolsTests() => tool = StartInOwnSession();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Notes => Directory.CreateDirectory(Path.Combine(scripts.Path, "notes")).FullName;

    [Fact]
    public async Task A_tool_that_was_left_running_is_ended_with_what_it_started()
    {
        Note(tool.Id);
        await New().EndLeftAsync(Cancellation);
        Assert.Empty(scripts.Alive());
        Assert.Empty(Directory.EnumerateFiles(Notes));
    }

    [Fact]
    public async Task A_tool_whose_worker_was_killed_before_it_noted_the_process_is_ended_and_no_other()
    {
        var script = scripts.Script($"sleep 1000 & echo $! >> {scripts.Pids}; echo $$ >> {scripts.Pids}; wait");
        var start = new ProcessStartInfo("setsid", [script]);
        start.Environment[ToolNote.Variable] = New().Expect().Mark;
        using var unnoted = Process.Start(start)!;
        await Eventually.HoldsAsync("the tool", async _ => (await File.ReadAllLinesAsync(scripts.Pids, Cancellation)).Length == 4);
        await New().EndLeftAsync(Cancellation);
        await unnoted.WaitForExitAsync(Cancellation).WaitAsync(TimeSpan.FromSeconds(30), Cancellation);
        Assert.Equal(2, scripts.Alive().Count);
        Assert.False(tool.HasExited);
        Assert.Empty(Directory.EnumerateFiles(Notes));
    }

    [Fact]
    public async Task A_tool_that_has_ended_is_no_longer_on_record()
    {
        Note(tool.Id).Dispose();
        await New().EndLeftAsync(Cancellation);
        Assert.Equal(2, scripts.Alive().Count);
    }

    [Fact]
    public async Task What_a_tool_started_is_ended_also_when_the_tool_itself_is_gone()
    {
        Note(tool.Id);
        tool.Kill();
        await tool.WaitForExitAsync(Cancellation);
        Assert.Single(scripts.Alive());
        await New().EndLeftAsync(Cancellation);
        Assert.Empty(scripts.Alive());
    }

    [Theory]
    [InlineData("started", "another process has its number")]
    [InlineData("boot", "the machine was started again")]
    public async Task A_process_that_is_not_the_tool_is_left_alone(string changed, string why)
    {
        Note(tool.Id);
        var note = Assert.Single(Directory.EnumerateFiles(Notes));
        var parts = Path.GetFileName(note).Split('.');
        parts[changed == "boot" ? 0 : 2] = changed == "boot" ? Guid.NewGuid().ToString() : "1";
        File.Move(note, Path.Combine(Notes, string.Join('.', parts)));
        await New().EndLeftAsync(Cancellation);
        Assert.True(scripts.Alive().Count == 2, why);
        Assert.Empty(Directory.EnumerateFiles(Notes));
    }

    [Fact]
    public async Task What_left_the_tools_session_on_purpose_stays()
    {
        var daemon = scripts.Script($"echo $$ >> {scripts.Pids}; exec sleep 1000");
        using var starter = Process.Start("setsid", ["sh", "-c", $"setsid --fork {daemon}; exec sleep 1000"]);
        await Eventually.HoldsAsync("the daemon", async _ => (await File.ReadAllLinesAsync(scripts.Pids, Cancellation)).Length == 3);
        Note(starter.Id);
        await New().EndLeftAsync(Cancellation);
        await starter.WaitForExitAsync(Cancellation);
        Assert.Equal(3, scripts.Alive().Count);
    }

    public void Dispose()
    {
        // One that is gone by then, with another that was its parent, is none to be ended.
        foreach (var pid in scripts.Alive())
            HostProgram.Run("sh", "-c", $"kill -9 {pid} 2>/dev/null || true");
        tool.Dispose();
        scripts.Dispose();
    }

    private StartedTools New() => new(Notes, NullLogger.Instance);

    private ToolNote Note(int leader)
    {
        var note = New().Expect();
        note.Started(leader);
        return note;
    }

    /// <summary>As a worker starts it; with a child.</summary>
    private Process StartInOwnSession()
    {
        var script = scripts.Script($"sleep 1000 & echo $! >> {scripts.Pids}; echo $$ >> {scripts.Pids}; wait");
        var started = Process.Start("setsid", [script]);
        Assert.True(SpinWait.SpinUntil(() => File.Exists(scripts.Pids) && File.ReadAllLines(scripts.Pids).Length == 2, Eventually.Deadline));
        return started;
    }
}
