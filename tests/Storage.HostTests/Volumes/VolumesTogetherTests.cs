using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.HostTests;

/// <summary>Volumes that are made by one command.</summary>
public sealed class VolumesTogetherTests : IDisposable
{
    private const long MiB = 1 << 20;

    private readonly DirPoolHost host = new();
    private readonly List<VolumeDefinition> made = [];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => host.Dispose();

    private static VolumeDefinition Sparse(string name) => new() { Name = name, Format = "raw", Capacity = MiB, Allocation = 0 };

    private static List<VolumeDefinition> Many(int count) => [.. Enumerable.Range(0, count).Select(i => Sparse($"v{i:000}"))];

    private Task MakeAsync(IReadOnlyList<VolumeDefinition> volumes, Run? run = null, CancellationToken? cancellation = null) =>
        host.Volumes.CreateVolumesAsync(host.Pool, volumes, run ?? DirPoolHost.NewRun(), made.Add, cancellation ?? Cancellation);

    [Fact]
    public async Task Each_is_told_in_its_turn_as_a_look_at_it_shows_it()
    {
        await host.BuildAsync(Cancellation);
        List<VolumeDefinition> volumes =
        [
            .. Many(100), new() { Name = "w", Format = "qcow2", Capacity = 64 * MiB }, new() { Name = "x", Format = "raw", Capacity = MiB, Allocation = MiB },
            new() { Name = "y", Format = "dir" }, Sparse("z") with { Permissions = new Permissions(0x1A0) },
        ];
        await MakeAsync(volumes);
        Assert.Equal(volumes.Select(volume => volume.Name), made.Select(volume => volume.Name));
        Assert.Equal(made.Select(volume => volume.Name), host.Names);
        foreach (var volume in made)
            Assert.Equal(VolumeDigest.Of((await host.Volumes.ReadVolumeAsync(host.Pool, volume.Name, Cancellation))!), VolumeDigest.Of(volume));
        Assert.Equal((0x180, 0x1A0), (made[0].Permissions!.Mode, made[^1].Permissions!.Mode));
        Assert.Equal(("qcow2", 64 * MiB), (made[100].Format, made[100].Capacity));
    }

    [Fact]
    public async Task A_name_that_is_taken_meanwhile_leaves_nothing_but_what_was_told()
    {
        await host.BuildAsync(Cancellation);
        await File.WriteAllTextAsync($"{host.Path}/v070", "others", Cancellation);
        Assert.Equal(ErrorCodes.VolumeExists, (await Assert.ThrowsAsync<StorageException>(() => MakeAsync(Many(100)))).Error.Code);
        Assert.Equal([.. made.Select(volume => volume.Name), "v070"], host.Names);
        Assert.Equal(70, made.Count);
        Assert.Equal("others", await File.ReadAllTextAsync($"{host.Path}/v070", Cancellation));
    }

    [Fact]
    public async Task One_that_cannot_be_made_leaves_nothing_half_made_of_the_others()
    {
        await host.BuildAsync(Cancellation);
        await Assert.ThrowsAsync<StorageException>(() => MakeAsync([.. Many(10), Sparse("w") with { Capacity = long.MaxValue }]));
        Assert.Equal(made.Select(volume => volume.Name), host.Names);
    }

    [Fact]
    public async Task A_cancel_leaves_nothing_but_what_was_told()
    {
        await host.BuildAsync(Cancellation);
        using var cancel = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => host.Volumes.CreateVolumesAsync(
            host.Pool, Many(150), DirPoolHost.NewRun(),
            volume =>
            {
                made.Add(volume);
                cancel.Cancel();
            },
            cancel.Token));
        Assert.NotEmpty(made);
        Assert.Equal(made.Select(volume => volume.Name), host.Names);
    }

    [Fact]
    public async Task A_resumed_run_takes_what_is_complete_and_removes_what_is_half_made()
    {
        await host.BuildAsync(Cancellation);
        var run = new Run(Guid.NewGuid(), true, _ => Task.CompletedTask, new Progress<OperationProgress>());
        await host.CreateAsync(Sparse("v000"), Cancellation);
        await File.WriteAllTextAsync($"{host.Path}/{VolumeName.Temporary(run.OperationId, "v001")}", "half", Cancellation);
        await MakeAsync(Many(3), run);
        Assert.Equal(["v000", "v001", "v002"], host.Names);
        Assert.Equal(3, made.Count);
    }
}
