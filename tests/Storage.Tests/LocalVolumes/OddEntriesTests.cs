using System.Diagnostics;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.Tests.LocalVolumes;

/// <summary>What else can be in a pool's directory, and what can happen to it while it is looked at or written to.</summary>
public sealed class OddEntriesTests : IDisposable
{
    private readonly string pool = Directory.CreateTempSubdirectory("pool-").FullName;
    private readonly QemuImg qemuImg = new(new CliWrapToolRunner(NullLogger<CliWrapToolRunner>.Instance));

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_name_that_is_not_utf8_is_counted_and_not_listed()
    {
        await ShellAsync("touch good \"$(printf 'bad\\377name')\"");
        var (listed, observation) = await ListAsync();
        Assert.Equal(["good"], listed.Select(volume => volume.Name));
        Assert.Equal((1, 1), (observation.Volumes, observation.Skipped));
        // .NET cannot name the file, and so cannot remove it with the directory.
        await ShellAsync("rm bad*");
    }

    [Fact]
    public async Task A_fifo_and_a_socket_are_no_volumes_and_nothing_waits_for_them()
    {
        await ShellAsync("mkfifo fifo");
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(Path.Combine(pool, "socket")));
        File.CreateSymbolicLink(Path.Combine(pool, "link-to-fifo"), "fifo");
        var (listed, observation) = await ListAsync();
        Assert.Empty(listed);
        Assert.Equal(3, observation.Skipped);
    }

    [Fact]
    public async Task A_link_within_the_pool_is_read_as_what_it_leads_to()
    {
        await File.WriteAllBytesAsync(Path.Combine(pool, "file"), new byte[5000], Cancellation);
        File.CreateSymbolicLink(Path.Combine(pool, "link"), "file");
        var link = LocalVolumeFiles.Read(pool, "link");
        Assert.Equal((5000, null), (link!.Capacity, link.Problem));
    }

    [Fact]
    public async Task A_link_through_a_directory_that_leads_out_of_the_pool_is_not_followed()
    {
        using var outside = new OutsideFile();
        File.CreateSymbolicLink(Path.Combine(pool, "door"), Path.GetDirectoryName(outside.Path)!);
        File.CreateSymbolicLink(Path.Combine(pool, "link"), $"door/{Path.GetFileName(outside.Path)}");
        var (listed, _) = await ListAsync();
        Assert.Equal(["door", "link"], listed.Select(volume => volume.Name));
        Assert.All(listed, volume => Assert.Equal((0, true), (volume.Capacity, volume.Problem is not null)));
    }

    [Fact]
    public async Task A_link_to_a_directory_whose_name_starts_like_the_pools_is_not_followed()
    {
        var sibling = Directory.CreateDirectory(pool + "-sibling");
        try
        {
            await File.WriteAllBytesAsync(Path.Combine(sibling.FullName, "file"), new byte[5000], Cancellation);
            File.CreateSymbolicLink(Path.Combine(pool, "link"), Path.Combine(sibling.FullName, "file"));
            Assert.NotNull(LocalVolumeFiles.Read(pool, "link")!.Problem);
        }
        finally
        {
            sibling.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_file_that_vanishes_during_the_listing_is_passed_over()
    {
        foreach (var name in new[] { "a", "b", "c" })
            await File.WriteAllTextAsync(Path.Combine(pool, name), "", Cancellation);
        var (listed, observation) = await ListAsync(volume =>
        {
            if (volume.Name == "a")
                File.Delete(Path.Combine(pool, "b"));
        });
        Assert.Equal(["a", "c"], listed.Select(volume => volume.Name));
        Assert.Equal(2, observation.Volumes);
    }

    [Fact]
    public async Task A_resumed_run_does_not_adopt_a_file_that_cannot_be_its_own()
    {
        await File.WriteAllTextAsync(Path.Combine(pool, "a"), "mine", Cancellation);
        var error = (await Assert.ThrowsAsync<StorageException>(() => CreateAsync(Raw("a", 4096), NewRun(Guid.NewGuid(), true)))).Error;
        Assert.Equal(ErrorCodes.VolumeExists, error.Code);
        Assert.Equal("mine", await File.ReadAllTextAsync(Path.Combine(pool, "a"), Cancellation));
    }

    [Fact]
    public async Task A_resumed_run_that_is_cancelled_already_removes_what_was_left()
    {
        var id = Guid.NewGuid();
        await File.WriteAllTextAsync(Path.Combine(pool, VolumeName.Temporary(id, "a")), "half", Cancellation);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Creator()
            .CreateAsync(pool, Raw("a", 4096), NewRun(id, true), new CancellationToken(canceled: true)));
        Assert.Empty(Directory.EnumerateFileSystemEntries(pool));
    }

    [Fact]
    public async Task A_volume_that_takes_the_name_meanwhile_is_not_replaced()
    {
        var run = new Run(
            Guid.NewGuid(), false, _ => File.WriteAllTextAsync(Path.Combine(pool, "a"), "mine", Cancellation), new Progress<OperationProgress>());
        var error = (await Assert.ThrowsAsync<StorageException>(() => CreateAsync(Raw("a", 4096), run))).Error;
        Assert.Equal(ErrorCodes.VolumeExists, error.Code);
        Assert.Equal("mine", await File.ReadAllTextAsync(Assert.Single(Directory.GetFiles(pool)), Cancellation));
    }

    [Theory]
    [InlineData("a\nb")]
    [InlineData("-rf")]
    [InlineData("a/b")]
    [InlineData("..")]
    [InlineData(".storage-x.part")]
    public async Task A_volume_cannot_be_made_with_a_name_that_is_none(string name)
    {
        await Assert.ThrowsAsync<StorageException>(() => CreateAsync(Raw(name, 4096), NewRun(Guid.NewGuid(), false)));
        Assert.Empty(Directory.EnumerateFileSystemEntries(pool));
    }

    [Fact]
    public async Task The_longest_name_can_be_made_and_one_byte_more_cannot()
    {
        var longest = string.Concat(Enumerable.Repeat("é", 127)) + "x";
        Assert.Equal(longest, (await CreateAsync(Raw(longest, 0), NewRun(Guid.NewGuid(), false))).Name);
        await Assert.ThrowsAsync<StorageException>(() => CreateAsync(Raw(longest + "x", 0), NewRun(Guid.NewGuid(), false)));
    }

    public void Dispose()
    {
        qemuImg.Dispose();
        Directory.Delete(pool, recursive: true);
    }

    private static VolumeDefinition Raw(string name, long capacity) => new() { Name = name, Format = "raw", Capacity = capacity, Allocation = 0 };

    private static Run NewRun(Guid id, bool resumed) => new(id, resumed, _ => Task.CompletedTask, new Progress<OperationProgress>());

    private Task<VolumeDefinition> CreateAsync(VolumeDefinition volume, Run run) =>
        Creator().CreateAsync(pool, volume, run, Cancellation);

    /// <summary>For names and kinds of file that .NET cannot make.</summary>
    private async Task ShellAsync(string script)
    {
        using var shell = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", script]) { WorkingDirectory = pool })!;
        await shell.WaitForExitAsync(Cancellation);
        Assert.Equal(0, shell.ExitCode);
    }

    [Fact]
    public async Task What_an_ended_operation_left_behind_is_removed_and_what_others_make_is_left_alone()
    {
        var (ended, others) = (Guid.NewGuid(), Guid.NewGuid());
        foreach (var operation in new[] { ended, others })
            File.WriteAllText(Path.Combine(pool, VolumeName.Temporary(operation, "v")), "half");
        var told = new List<OperationProgress>();
        var look = new Run(Guid.NewGuid(), false, _ => Task.CompletedTask, new Told(told)) { HasEndedAsync = operation => Task.FromResult(operation == ended) };
        Assert.Empty((await ListAsync(look: look)).Volumes);
        Assert.Equal([VolumeName.Temporary(others, "v")], Directory.EnumerateFiles(pool).Select(Path.GetFileName));
        Assert.All(told, progress => Assert.InRange(progress.Percent!.Value, 0, 100));
        Assert.NotEmpty(told);
    }

    private async Task<(List<VolumeDefinition> Volumes, PoolObservation Observation)> ListAsync(Action<VolumeDefinition>? onVolume = null, Run? look = null)
    {
        var listed = new List<VolumeDefinition>();
        var observation = await LocalVolumeFiles.ObserveAsync(
            pool,
            volume =>
            {
                listed.Add(volume);
                onVolume?.Invoke(volume);
                return ValueTask.CompletedTask;
            },
            look ?? new Run(Guid.NewGuid(), false, _ => Task.CompletedTask, new Progress<OperationProgress>()),
            Cancellation);
        return (listed, observation);
    }

    private sealed class OutsideFile : IDisposable
    {
        private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("outside-");

        public OutsideFile() => File.WriteAllBytes(Path, new byte[5000]);

        public string Path => System.IO.Path.Combine(folder.FullName, "file");

        public void Dispose() => folder.Delete(recursive: true);
    }

    private sealed class Told(List<OperationProgress> told) : IProgress<OperationProgress>
    {
        public void Report(OperationProgress value) => told.Add(value);
    }

    private LocalVolumeCreator Creator()
    {
        var tools = new CliWrapToolRunner(NullLogger<CliWrapToolRunner>.Instance);
        return new(new VolumeTools(qemuImg, new Ploop(tools), new Cryptsetup(tools)), NullLogger<LocalVolumeCreator>.Instance);
    }
}
