using Microsoft.Extensions.Logging.Abstractions;
using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.Tests.LocalVolumes;

/// <summary>Volumes that no tool is needed for, in a directory of the test.</summary>
public sealed class LocalVolumeTests : IDisposable
{
    private readonly string pool = Directory.CreateTempSubdirectory("pool-").FullName;
    private readonly QemuImg qemuImg = new(new CliWrapToolRunner(NullLogger<CliWrapToolRunner>.Instance));
    private int began;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0)]
    [InlineData(1 << 20)]
    [InlineData(4 << 20)]
    public async Task A_raw_volume_has_the_size_and_the_blocks_that_were_asked_for(long allocation)
    {
        var made = await CreateAsync(Raw("a", 4 << 20) with { Allocation = allocation });
        Assert.Equal((4L << 20, allocation), (made.Capacity!.Value, made.Allocation!.Value));
        Assert.Equal(4L << 20, new FileInfo(Path.Combine(pool, "a")).Length);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(pool, "a")));
        Assert.Equal(1, began);
    }

    [Fact]
    public async Task A_name_that_is_taken_is_refused_before_anything_is_begun()
    {
        await File.WriteAllTextAsync(Path.Combine(pool, "a"), "mine", Cancellation);
        var error = await RefusedAsync(() => CreateAsync(Raw("a", 4096)));
        Assert.Equal((ErrorCodes.VolumeExists, 0), (error.Code, began));
        Assert.Equal("mine", await File.ReadAllTextAsync(Path.Combine(pool, "a"), Cancellation));
    }

    [Fact]
    public async Task A_resumed_run_adopts_what_is_complete_and_removes_what_is_not()
    {
        var run = Guid.NewGuid();
        await File.WriteAllTextAsync(Path.Combine(pool, VolumeName.Temporary(run, "a")), "half", Cancellation);
        await CreateAsync(Raw("a", 4096), run, resumed: true);
        Assert.Equal(["a"], Names());
        var again = await CreateAsync(Raw("a", 4096), run, resumed: true);
        Assert.Equal(4096, again.Capacity);
        Assert.Equal(["a"], Names());
    }

    [Fact]
    public async Task A_cancelled_creation_leaves_nothing()
    {
        using var cancel = new CancellationTokenSource();
        var run = new Run(Guid.NewGuid(), false, async _ => await cancel.CancelAsync(), new Progress<OperationProgress>());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Creator().CreateAsync(pool, Raw("a", 1 << 20), run, cancel.Token));
        Assert.Empty(Names());
    }

    [Fact]
    public async Task A_size_that_no_file_system_has_is_refused_and_leaves_nothing()
    {
        var error = await RefusedAsync(() => CreateAsync(Raw("a", long.MaxValue)));
        Assert.Contains(error.Code, new[] { ErrorCodes.NoSpace, ErrorCodes.HostFailure });
        Assert.Empty(Names());
    }

    [Fact]
    public async Task A_directory_volume_can_be_entered_by_its_owner()
    {
        var made = await CreateAsync(new VolumeDefinition { Name = "d", Format = "dir", Capacity = 0 });
        Assert.Equal((VolumeKind.Dir, "dir"), (made.Type, made.Format));
        await File.WriteAllTextAsync(Path.Combine(pool, "d", "x"), "", Cancellation);
        var error = await RefusedAsync(() => LocalVolumeFiles.DeleteAsync(pool, "d", NewRun(), Cancellation));
        Assert.Equal(ErrorCodes.InvalidState, error.Code);
        File.Delete(Path.Combine(pool, "d", "x"));
        await LocalVolumeFiles.DeleteAsync(pool, "d", NewRun(), Cancellation);
        Assert.Empty(Names());
    }

    [Fact]
    public async Task A_volume_that_is_gone_already_is_deleted() =>
        await LocalVolumeFiles.DeleteAsync(pool, "never-there", NewRun(), Cancellation);

    [Theory]
    [InlineData("../outside")]
    [InlineData("a/b")]
    [InlineData("..")]
    [InlineData("")]
    public async Task A_name_that_leads_out_of_the_pool_is_never_deleted(string name) =>
        Assert.Equal(ErrorCodes.InvalidArgument, (await RefusedAsync(() => LocalVolumeFiles.DeleteAsync(pool, name, NewRun(), Cancellation))).Code);

    [Fact]
    public async Task Volumes_are_listed_in_the_order_of_their_bytes_and_our_temporary_files_are_not()
    {
        string[] names = ["b", "A", "é", "\U0001F4BE", "\uFFFD", ".hidden", "-dash"];
        foreach (var name in names)
            await File.WriteAllTextAsync(Path.Combine(pool, name), "", Cancellation);
        await File.WriteAllTextAsync(Path.Combine(pool, VolumeName.Temporary(Guid.NewGuid(), "x")), "", Cancellation);
        await File.WriteAllTextAsync(Path.Combine(pool, "new\nline"), "", Cancellation);
        File.CreateSymbolicLink(Path.Combine(pool, "dangling"), "/nowhere");
        var (listed, observation) = await ListAsync();
        Assert.Equal(names.Order(Utf8Order.Comparer), listed.Select(volume => volume.Name));
        Assert.Equal((names.Length, 2), (observation.Volumes, observation.Skipped));
    }

    [Fact]
    public async Task A_link_out_of_the_pool_is_listed_with_a_problem_and_not_followed()
    {
        var outside = Path.GetTempFileName();
        await File.WriteAllBytesAsync(outside, new byte[5000], Cancellation);
        File.CreateSymbolicLink(Path.Combine(pool, "link"), outside);
        var (listed, _) = await ListAsync();
        var link = Assert.Single(listed);
        Assert.NotNull(link.Problem);
        Assert.NotEqual(5000, link.Capacity);
        await LocalVolumeFiles.DeleteAsync(pool, "link", NewRun(), Cancellation);
        Assert.True(File.Exists(outside));
        File.Delete(outside);
    }

    [Fact]
    public async Task A_malformed_image_is_a_volume_with_a_problem_among_others()
    {
        await File.WriteAllBytesAsync(Path.Combine(pool, "bad"), [(byte)'Q', (byte)'F', (byte)'I', 0xFB, 0, 0, 0, 3, .. new byte[42]], Cancellation);
        await CreateAsync(Raw("good", 4096));
        var (listed, _) = await ListAsync();
        Assert.Equal(["bad", "good"], listed.Select(volume => volume.Name));
        Assert.NotNull(listed[0].Problem);
        Assert.Null(listed[1].Problem);
    }

    [Fact]
    public async Task A_directory_that_vanished_is_a_failure_with_its_path()
    {
        Directory.Delete(pool);
        var error = await RefusedAsync(async () => await ListAsync());
        Assert.Equal(ErrorCodes.HostFailure, error.Code);
        Assert.Contains(pool, error.Message, StringComparison.Ordinal);
        Directory.CreateDirectory(pool);
    }

    public void Dispose()
    {
        qemuImg.Dispose();
        Directory.Delete(pool, recursive: true);
    }

    private static VolumeDefinition Raw(string name, long capacity) => new() { Name = name, Format = "raw", Capacity = capacity, Allocation = 0 };

    private static async Task<StorageError> RefusedAsync(Func<Task> action) => (await Assert.ThrowsAsync<StorageException>(action)).Error;

    private LocalVolumeCreator Creator()
    {
        var tools = new CliWrapToolRunner(NullLogger<CliWrapToolRunner>.Instance);
        return new(new VolumeTools(qemuImg, new Ploop(tools), new Cryptsetup(tools)), NullLogger<LocalVolumeCreator>.Instance);
    }

    private Run NewRun(Guid? id = null, bool resumed = false) => new(
        id ?? Guid.NewGuid(), resumed,
        _ =>
        {
            began++;
            return Task.CompletedTask;
        },
        new Progress<OperationProgress>());

    private Task<VolumeDefinition> CreateAsync(VolumeDefinition volume, Guid? id = null, bool resumed = false) =>
        Creator().CreateAsync(pool, volume, NewRun(id, resumed), Cancellation);

    private async Task<(List<VolumeDefinition> Volumes, PoolObservation Observation)> ListAsync(Run? look = null)
    {
        var listed = new List<VolumeDefinition>();
        var observation = await LocalVolumeFiles.ObserveAsync(
            pool,
            volume =>
            {
                listed.Add(volume);
                return ValueTask.CompletedTask;
            },
            look ?? new Run(Guid.NewGuid(), false, _ => Task.CompletedTask, new Progress<OperationProgress>()),
            Cancellation);
        return (listed, observation);
    }

    private string[] Names() => [.. Directory.EnumerateFileSystemEntries(pool).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)];
}
