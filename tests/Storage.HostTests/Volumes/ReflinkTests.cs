using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.HostTests;

/// <summary>Copies that share their blocks with their source.</summary>
public sealed class ReflinkTests : IDisposable
{
    private readonly DirPoolHost host = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("xfs")]
    [InlineData("btrfs")]
    public async Task Blocks_are_shared_where_the_file_system_can_and_own_ones_are_not_asked_for(string fileSystem)
    {
        await host.BuildAsync(Cancellation);
        await using var disk = await ReflinkDisk.MountAsync(fileSystem, host.Path, Cancellation);
        SomeContent.Full($"{host.Path}/content", 32 << 20);
        foreach (var (name, capacity, reflink, shared) in new[] { ("told", 0L, true, true), ("larger", 64L << 20, true, true), ("thin", 0L, false, true), ("own", 0L, false, false) })
        {
            var before = await UsedAsync();
            var volume = new VolumeDefinition { Name = name, Capacity = capacity == 0 ? null : capacity, Allocation = name == "own" ? null : 0 };
            var made = await host.CloneAsync(volume, host.Source("content"), Cancellation, reflink);
            Assert.Equal(Math.Max(capacity, 32 << 20), made.Capacity);
            Assert.Equal(await ReadAsync("content"), (await ReadAsync(name))[..(32 << 20)]);
            var taken = await UsedAsync() - before;
            Assert.True(shared ? taken < 8 << 20 : taken > 24 << 20, $"{name} took {taken}");
        }
    }

    [Fact]
    public async Task Sharing_blocks_is_refused_where_the_file_system_cannot_and_for_another_format()
    {
        Requires.Root();
        await host.BuildAsync(Cancellation);
        await host.Tools.RunAsync(new HostCommand(Requires.Tool("mount"), "-t", "tmpfs", "-o", "size=64m", "tmpfs", host.Path), Cancellation);
        try
        {
            SomeContent.Sparse($"{host.Path}/content", 4 << 20);
            foreach (var format in new[] { "raw", "qcow2" })
                Assert.Equal(ErrorCodes.Unsupported, (await RefusedAsync(() => host.CloneAsync(
                    new VolumeDefinition { Name = "copy", Format = format }, host.Source("content"), Cancellation, reflink: true))).Code);
            Assert.Equal(["content"], host.Names);
            SomeContent.Full($"{host.Path}/big", 40 << 20);
            Assert.Equal(ErrorCodes.NoSpace, (await RefusedAsync(() => host.CloneAsync(new VolumeDefinition { Name = "copy" }, host.Source("big"), Cancellation))).Code);
            Assert.Equal(["big", "content"], host.Names);
        }
        finally
        {
            await host.Tools.RunAsync(new HostCommand(Requires.Tool("umount"), host.Path), CancellationToken.None);
        }
    }

    public void Dispose() => host.Dispose();

    private static async Task<StorageError> RefusedAsync(Func<Task> action) => (await Assert.ThrowsAsync<StorageException>(action)).Error;

    private Task<byte[]> ReadAsync(string volume) => File.ReadAllBytesAsync($"{host.Path}/{volume}", Cancellation);

    private async Task<long> UsedAsync()
    {
        await host.Tools.RunAsync(new HostCommand("sync", "-f", host.Path), Cancellation);
        var drive = new DriveInfo(host.Path);
        return drive.TotalSize - drive.TotalFreeSpace;
    }
}
