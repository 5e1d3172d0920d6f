using System.Buffers.Binary;
using System.Text;
using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.Tests;

/// <summary>Many entries of a directory that are removed together.</summary>
public sealed class DeletionTests : IDisposable
{
    private readonly string pool = Directory.CreateTempSubdirectory("storage-pool-").FullName;
    private readonly List<string> gone = [];
    private readonly List<IReadOnlyCollection<string>> told = [];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(pool, recursive: true);

    [Fact]
    public async Task Files_links_and_empty_directories_are_removed_and_nothing_else_is_touched()
    {
        Make("file", "empty", "kept");
        Directory.CreateDirectory(In("directory"));
        File.CreateSymbolicLink(In("link"), In("kept"));
        File.CreateSymbolicLink(In("loose"), In("nowhere"));
        string[] names = ["file", "empty", "directory", "link", "loose"];
        await RemoveAsync(Deletion(names));
        Assert.Equal(names, gone);
        Assert.Equal(["kept"], Left());
    }

    [Fact]
    public void What_is_not_there_is_left_out_and_nothing_is_changed_by_looking()
    {
        Make("a", "b");
        Assert.Equal(["b", "a"], Plan(Deletion(["b", "gone", "a"])));
        Assert.Equal(["a", "b"], Left());
    }

    [Fact]
    public void A_directory_that_is_not_empty_is_found_by_looking()
    {
        Make("a");
        Directory.CreateDirectory(In("full"));
        File.WriteAllText(In("full/file"), "");
        var deletion = Deletion(["a", "full"], force: true);
        Assert.Equal(ErrorCodes.InvalidState, Assert.Throws<StorageException>(() => Plan(deletion)).Error.Code);
        Assert.Equal("full", deletion.At);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_file_that_is_open_is_found_by_looking_unless_it_is_forced(bool force)
    {
        Make("a", "open");
        using var user = File.OpenRead(In("open"));
        var deletion = Deletion(["a", "open"], force);
        if (force)
        {
            Assert.Equal(["a", "open"], Plan(deletion));
            return;
        }
        Assert.Equal(ErrorCodes.InUse, Assert.Throws<StorageException>(() => Plan(deletion)).Error.Code);
        Assert.Equal("open", deletion.At);
    }

    [Theory]
    [InlineData("base")]
    [InlineData("/srv/by-another-name/base")]
    public void An_image_goes_before_the_one_that_it_is_built_on(string backing)
    {
        Make("base");
        File.WriteAllBytes(In("overlay"), Qcow2On(backing));
        foreach (var force in new[] { false, true })
            Assert.Equal(["overlay", "base"], Plan(Deletion(["base", "overlay"], force)));
    }

    [Fact]
    public async Task More_than_are_synced_at_once_are_told_part_by_part()
    {
        string[] names = [.. Enumerable.Range(0, 1000).Select(i => $"v{i:0000}")];
        Make(names);
        await RemoveAsync(Deletion(names));
        Assert.Equal(names, gone);
        Assert.True(told.Count > 1, "all were told at once");
        Assert.Empty(Left());
    }

    [Fact]
    public async Task What_was_removed_before_one_that_cannot_be_is_told()
    {
        Make("a", "b", "d");
        Directory.CreateDirectory(In("c/d"));
        var deletion = Deletion(["a", "b", "c", "d"]);
        await Assert.ThrowsAsync<StorageException>(() => LocalVolumeDeletion.RunAsync(pool, ["a", "b", "c", "d"], deletion, Cancellation));
        Assert.Equal(["a", "b"], gone);
        Assert.Equal("c", deletion.At);
        Assert.Equal(["c", "d"], Left());
    }

    [Fact]
    public async Task A_resumed_run_removes_what_the_one_before_had_moved_away()
    {
        var run = NewRun(resumed: true);
        var moved = Directory.CreateDirectory(In(VolumeName.Temporary(run.OperationId, "ploop"))).FullName;
        File.WriteAllText(Path.Combine(moved, "root.hds"), "");
        await RemoveAsync(new VolumeDeletion(["ploop"], false, run, Take), ["ploop"]);
        Assert.Equal(["ploop"], gone);
        Assert.Empty(Left());
    }

    /// <summary>The header of an image of version 2 with a backing file.</summary>
    private static byte[] Qcow2On(string backing)
    {
        const int Length = 72;
        var header = new byte[4096];
        "QFI"u8.CopyTo(header);
        header[3] = 0xfb;
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), 2);
        BinaryPrimitives.WriteInt64BigEndian(header.AsSpan(8), Length);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(16), backing.Length);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(20), 16);
        BinaryPrimitives.WriteInt64BigEndian(header.AsSpan(24), 1 << 20);
        Encoding.UTF8.GetBytes(backing, header.AsSpan(Length));
        return header;
    }

    private string In(string name) => Path.Combine(pool, name);

    private void Make(params string[] names)
    {
        foreach (var name in names)
            File.WriteAllText(In(name), "");
    }

    private IEnumerable<string?> Left() => Directory.EnumerateFileSystemEntries(pool).Select(Path.GetFileName).Order();

    private void Take(IReadOnlyCollection<string> removed)
    {
        told.Add(removed);
        gone.AddRange(removed);
    }

    private VolumeDeletion Deletion(string[] names, bool force = false) => new(names, force, NewRun(resumed: false), Take);

    private IReadOnlyList<string> Plan(VolumeDeletion deletion) => LocalVolumeDeletion.Plan(pool, deletion, new KnownHeaders(TimeProvider.System), Cancellation);

    private Task RemoveAsync(VolumeDeletion deletion, IReadOnlyList<string>? order = null) =>
        LocalVolumeDeletion.RunAsync(pool, order ?? Plan(deletion), deletion, Cancellation);

    private static Run NewRun(bool resumed) => new(Guid.NewGuid(), resumed, _ => Task.CompletedTask, new Progress<OperationProgress>());
}
