using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.HostTests;

/// <summary>The guard by itself, with small programs for servers.</summary>
[Trait("needs", "clusters")]
public sealed class GuardedFolderTests
{
    private static readonly HostCommand NoAnswer = new("false");

    [Fact]
    public async Task What_runs_is_mounted_or_attached_in_a_folder_goes_with_it()
    {
        Requires.Root();
        var daemon = "";
        var path = "";
        await using (await GuardedFolder.FillAsync("guard", async folder =>
        {
            path = folder.Path;
            // As daemons do it: a session of its own, and nobody's child. The parent stays, as a server in the foreground.
            folder.Start("server", new HostCommand("sh", "-c", $"setsid sh -c 'echo $$ >{folder.In("pid~")}; mv {folder.In("pid~")} {folder.In("pid")}; exec sleep 600' & sleep 600"));
            await folder.AnswersAsync("the daemon", () => RealTools.RunAsync(new HostCommand("cat", folder.In("pid"))));
            daemon = (await File.ReadAllTextAsync(folder.In("pid"))).Trim();
            HostProgram.Run("mount", "-t", "tmpfs", "-o", "size=1m", "none", folder.Folder("a mount"));
            await File.WriteAllBytesAsync(folder.In("image"), new byte[1 << 20]);
            HostProgram.Run("losetup", "--find", folder.In("image"));
            return folder;
        }))
        {
            var found = new Holdings(path, path).Found();
            Assert.Contains($"mount {path}/a mount", found);
            Assert.Contains($"loop {path}/image", found);
            Assert.True(ScriptFolder.State(daemon) is 'S');
        }
        Assert.Empty(new Holdings(path, path).Found());
        Assert.True(ScriptFolder.State(daemon) is null or 'Z' or 'X');
    }

    [Fact]
    public async Task A_server_that_ends_is_told_of_at_once_with_what_it_said_and_leaves_nothing()
    {
        var path = "";
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => GuardedFolder.FillAsync<object>("guard", async folder =>
        {
            path = folder.Path;
            folder.Start("server", new HostCommand("sh", "-c", "echo 'it''s no use'; exit 7"));
            await folder.AnswersAsync("the server", () => RealTools.RunAsync(NoAnswer));
            return folder;
        }));
        Assert.Contains("server 7", error.Message, StringComparison.Ordinal);
        Assert.Contains("its no use", error.Message, StringComparison.Ordinal);
        Assert.IsType<StorageException>(error.InnerException);
        Assert.False(Directory.Exists(path));
    }
}
