using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.HostTests;

/// <summary>Volumes of format ploop, made by a stand-in for its tool.</summary>
public sealed class PloopVolumeTests : IDisposable
{
    private const long MiB = 1 << 20;
    private readonly DirPoolHost host = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_ploop_volume_is_made_listed_resized_and_deleted_with_its_files()
    {
        await host.BuildAsync(Cancellation);
        using var tool = new StandInPloop();
        var made = await CreateAsync(4 * MiB + 1);
        Assert.Equal((VolumeKind.Ploop, "ploop", 5 * MiB, null), (made.Type, made.Format, made.Capacity, made.Problem));
        Assert.InRange(made.Allocation!.Value, 1, MiB);
        var resized = await host.Volumes.ResizeVolumeAsync(host.Pool, "v", new VolumeResize(5 * MiB, 8 * MiB, Allocate: false), DirPoolHost.NewRun(), Cancellation);
        Assert.Equal(8 * MiB, resized.Capacity);
        Assert.StartsWith($"init -s 5M -t ext4 {host.Path}/.storage-", tool.Calls[0], StringComparison.Ordinal);
        Assert.Equal($"resize -s 8M {host.Path}/v/DiskDescriptor.xml", tool.Calls[1]);
        Assert.Equal("ploop", (await host.Volumes.ReadVolumeAsync(host.Pool, "v", Cancellation))!.Format);
        await host.Volumes.DeleteVolumeAsync(host.Pool, "v", DirPoolHost.NewRun(), Cancellation);
        Assert.Empty(host.Names);
    }

    [Fact]
    public async Task A_tool_that_fails_half_way_leaves_nothing()
    {
        await host.BuildAsync(Cancellation);
        using var tool = new StandInPloop();
        tool.Fail();
        Assert.Equal(ErrorCodes.ToolFailed, (await Assert.ThrowsAsync<StorageException>(() => CreateAsync(MiB))).Error.Code);
        Assert.Empty(host.Names);
    }

    [Fact]
    public async Task A_deletion_that_was_cut_off_is_completed_by_the_resumed_run()
    {
        await host.BuildAsync(Cancellation);
        using var tool = new StandInPloop();
        await CreateAsync(MiB);
        var operation = Guid.NewGuid();
        Directory.Move($"{host.Path}/v", $"{host.Path}/{VolumeName.Temporary(operation, "v")}");
        await host.Volumes.DeleteVolumeAsync(
            host.Pool, "v", new Run(operation, true, _ => Task.CompletedTask, new Progress<OperationProgress>()), Cancellation);
        Assert.Empty(Directory.EnumerateFileSystemEntries(host.Path));
    }

    [Fact]
    public async Task One_whose_image_is_open_is_in_use_and_other_directories_keep_their_files()
    {
        await host.BuildAsync(Cancellation);
        using var tool = new StandInPloop();
        await CreateAsync(MiB);
        await using (File.OpenRead($"{host.Path}/v/root.hds"))
            Assert.Equal(ErrorCodes.InUse, (await Assert.ThrowsAsync<StorageException>(() => host.Volumes.RequireUnusedAsync(host.Pool, "v", Cancellation))).Error.Code);
        await host.Volumes.RequireUnusedAsync(host.Pool, "v", Cancellation);
        File.Delete($"{host.Path}/v/DiskDescriptor.xml");
        Assert.Equal("dir", (await host.Volumes.ReadVolumeAsync(host.Pool, "v", Cancellation))!.Format);
        await Assert.ThrowsAsync<StorageException>(() => host.Volumes.DeleteVolumeAsync(host.Pool, "v", DirPoolHost.NewRun(), Cancellation));
        Assert.True(File.Exists($"{host.Path}/v/root.hds"));
    }

    [Fact]
    public async Task An_image_that_is_none_is_a_problem_of_the_volume()
    {
        await host.BuildAsync(Cancellation);
        Directory.CreateDirectory($"{host.Path}/v");
        await File.WriteAllTextAsync($"{host.Path}/v/root.hds", "nothing", Cancellation);
        await File.WriteAllTextAsync($"{host.Path}/v/DiskDescriptor.xml", "", Cancellation);
        var seen = await host.Volumes.ReadVolumeAsync(host.Pool, "v", Cancellation);
        Assert.Equal(("ploop", 0), (seen!.Format, seen.Capacity));
        Assert.NotNull(seen.Problem);
    }

    [Fact]
    public async Task Without_its_tool_it_is_refused_and_announced_with_the_reason()
    {
        Assert.SkipWhen(ToolPath.Find("ploop") is not null, "ploop is installed");
        await host.BuildAsync(Cancellation);
        Assert.Equal(ErrorCodes.Unavailable, (await Assert.ThrowsAsync<StorageException>(() => CreateAsync(MiB))).Error.Code);
        Assert.Equal("ploop is not installed", (await host.Backend.ProbeAsync(Cancellation)).VolumeFormats.Single(format => format.Format == "ploop").Reason);
    }

    public void Dispose() => host.Dispose();

    private Task<VolumeDefinition> CreateAsync(long capacity) =>
        host.CreateAsync(new VolumeDefinition { Name = "v", Format = "ploop", Capacity = capacity }, Cancellation);
}
