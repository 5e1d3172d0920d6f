using Xunit;

namespace Storage.IntegrationTests;

public sealed class GuardedProcessTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("storage-guard-").FullName;

    [Fact]
    public async Task A_program_that_is_killed_takes_its_children_with_it()
    {
        await using var process = await GuardedProcess.StartAsync(Shell("sleep 600 & echo $! >child; echo up; wait"));
        var child = await ChildAsync();

        await process.KillAsync();

        Assert.Equal(128 + 9, process.ExitCode);
        await Eventually.HoldsAsync("the child's end", _ => Task.FromResult(!Alive(child)));
    }

    [Fact]
    public async Task A_program_ends_when_the_guard_loses_its_tests()
    {
        var process = await GuardedProcess.StartAsync(Shell("trap '' TERM; sleep 600 & echo $! >child; wait"));
        var child = await ChildAsync();

        await process.DisposeAsync();

        await Eventually.HoldsAsync("the program's and its child's end", _ => Task.FromResult(!Alive(child) && !Alive(process.Id)));
    }

    [Fact]
    public async Task A_program_that_is_asked_to_stop_ends_with_its_own_code()
    {
        await using var process = await GuardedProcess.StartAsync(Shell("trap 'echo bye; exit 7' TERM; echo 1 >child; while :; do sleep 0.05; done"));
        await ChildAsync();

        Assert.Equal(7, await process.StopAsync("TERM", TimeSpan.FromSeconds(10)));
        Assert.Equal("bye", LogTail.Read(Path.Combine(_folder, "log")));
    }

    [Fact]
    public async Task A_program_that_does_not_stop_is_ended_by_force_and_told_of()
    {
        await using var process = await GuardedProcess.StartAsync(Shell("trap '' TERM; echo 1 >child; while :; do sleep 0.05; done"));
        await ChildAsync();

        await Assert.ThrowsAsync<TimeoutException>(() => process.StopAsync("TERM", TimeSpan.FromMilliseconds(300)));
        Assert.True(process.HasExited);
    }

    [Fact]
    public async Task A_program_that_is_not_there_fails_with_its_name()
    {
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => GuardedProcess.RunAsync(
            new ProgramStart("/no/such/program", [], _folder, Path.Combine(_folder, "log")), TimeSpan.FromSeconds(10)));

        Assert.Contains("/no/such/program", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_of_servers_goes_with_its_tests_also_while_one_still_writes()
    {
        var folder = new ServerFolder("storage-guard-");
        var writes = new ProgramStart("sh", ["-c", "i=0; while i=$((i + 1)); do mkdir -p sub; echo $i >sub/$i; [ $i -lt 20 ] || touch many; done"], folder.Path, Path.Combine(_folder, "log"));
        var process = await GuardedProcess.StartAsync(writes);
        await Eventually.HoldsAsync("the files", _ => Task.FromResult(File.Exists(Path.Combine(folder.Path, "many"))));

        var ended = process.DisposeAsync();
        folder.Dispose();
        await ended;

        Assert.False(Directory.Exists(folder.Path));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private ProgramStart Shell(string script) => new("sh", ["-c", script], _folder, Path.Combine(_folder, "log"));

    private async Task<int> ChildAsync()
    {
        var text = await Eventually.GetAsync("the program's start", async ct =>
            await File.ReadAllTextAsync(Path.Combine(_folder, "child"), ct) is { Length: > 0 } line ? line : null);
        return int.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
    }

    // One that has ended stays listed as a zombie until its parent, or process 1, has asked for its exit code.
    private static bool Alive(int process)
    {
        try
        {
            return !File.ReadAllText($"/proc/{process}/stat").Contains(") Z ", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }
}
