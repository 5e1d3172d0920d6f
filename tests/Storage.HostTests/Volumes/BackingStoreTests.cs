using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.HostTests;

/// <summary>Where a backing store may lie, by what is really there: a worker opens no other file or device of its host for anybody.</summary>
public sealed class BackingStoreTests : IAsyncLifetime
{
    private const long MiB = 1 << 20;

    private readonly DirPoolHost host = new();
    private readonly string golden = Directory.CreateTempSubdirectory("golden-").FullName;
    private WorkerOnHost worker = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Other => $"{host.Path}-other";

    public async ValueTask InitializeAsync()
    {
        Requires.Tool("qemu-img");
        worker = WorkerOnHost.OfFileFamily(golden);
        await worker.StartAsync();
        await host.BuildAsync(Cancellation);
        Directory.CreateDirectory(Other);
        foreach (var directory in new[] { host.Path, Other, golden })
            SomeContent.Full($"{directory}/base", MiB);
        SomeContent.Full($"{host.Path}/../outside", MiB);
        File.CreateSymbolicLink($"{host.Path}/to-outside", $"{host.Path}/../outside");
        File.CreateSymbolicLink($"{host.Path}/to-other", $"{Other}/base");
        File.CreateSymbolicLink($"{golden}/to-outside", $"{host.Path}/../outside");
        Directory.CreateSymbolicLink($"{host.Path}/../link", Other);
    }

    [Theory]
    [InlineData("base")]
    [InlineData("{0}/base")]
    [InlineData("{0}-other/base")]
    [InlineData("to-other")]
    [InlineData("{0}/../link/base")]
    [InlineData("{1}/base")]
    public async Task A_volume_is_built_on_a_file_of_a_pool_or_of_an_allowed_place_copied_and_resized(string backing)
    {
        backing = Named(backing);
        await MakeAsync("top", backing);
        await DoneAsync(new CloneVolume(null, "pool", new VolumeDefinition { Name = "copy", Format = "raw" }, "top"));
        Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(host.Path, backing), Cancellation), await File.ReadAllBytesAsync($"{host.Path}/copy", Cancellation));
        await DoneAsync(new ResizeVolume(null, "pool", "top", 2 * MiB));
        Assert.Equal(2 * MiB, LocalVolumeFiles.Read(host.Path, "top")!.Capacity);
    }

    [Theory]
    [InlineData("/etc/passwd")]
    [InlineData("to-outside")]
    [InlineData("{0}/to-outside")]
    [InlineData("{1}/to-outside")]
    [InlineData("{1}-not/base")]
    public async Task Another_file_of_the_host_is_no_backing_store_and_no_image_on_it_is_copied_or_resized(string backing)
    {
        Directory.CreateDirectory(golden + "-not");
        SomeContent.Full(golden + "-not/base", MiB);
        backing = Named(backing);
        var error = await FailedAsync(Overlay("top", backing));
        Assert.Equal((ErrorCodes.Unsupported, "backingStore.path"), (error.Code, error.Field));
        Assert.Equal((ErrorCodes.Unsupported, "backingStore.path"), Said(await FailedAsync(
            new CreateVolumes(null, "pool", [new VolumeDefinition { Name = "plain", Capacity = MiB, Format = "raw" }, Overlay("top", backing).Volume]))));
        Assert.DoesNotContain("top", host.Names);
        // As anybody can make it who may write to the pool.
        HostProgram.Run("qemu-img", "create", "-q", "-f", "qcow2", "-u", "-b", backing, "-F", "raw", $"{host.Path}/top", "1M");
        Assert.Equal(ErrorCodes.Unsupported, (await FailedAsync(new CloneVolume(null, "pool", new VolumeDefinition { Name = "copy", Format = "raw" }, "top"))).Code);
        Assert.Equal(ErrorCodes.Unsupported, (await FailedAsync(new ResizeVolume(null, "pool", "top", 2 * MiB))).Code);
    }

    [Fact]
    public async Task A_device_is_a_backing_store_only_where_the_setting_names_it()
    {
        Requires.Root();
        Requires.Tool("losetup");
        var device = HostProgram.Run("losetup", "--find", "--show", $"{golden}/base").Trim();
        try
        {
            // Neither by its own name nor from within an allowed directory.
            File.CreateSymbolicLink($"{golden}/device", device);
            foreach (var name in new[] { device, $"{golden}/device" })
                Assert.Equal((ErrorCodes.Unsupported, "backingStore.path"), Said(await FailedAsync(Overlay("top", name))));
            await using var allowing = WorkerOnHost.OfFileFamily(device);
            await allowing.StartAsync();
            var end = await allowing.RunAsync(host.Pool, Overlay("top", device));
            Assert.True(end.Type == nameof(OperationSucceeded), $"{end.Data}");
            Assert.Equal(MiB, LocalVolumeFiles.Read(host.Path, "top")!.Capacity);
        }
        finally
        {
            HostProgram.Run("losetup", "--detach", device);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (worker is not null)
            await worker.DisposeAsync();
        host.Dispose();
        Directory.Delete(golden, recursive: true);
        if (Directory.Exists(golden + "-not"))
            Directory.Delete(golden + "-not", recursive: true);
    }

    private string Named(string backing) => backing.Replace("{0}", host.Path, StringComparison.Ordinal).Replace("{1}", golden, StringComparison.Ordinal);

    private static CreateVolume Overlay(string name, string backing) =>
        new(null, "pool", new VolumeDefinition { Name = name, Format = "qcow2", BackingStore = new BackingStore(backing, "raw") });

    /// <summary>With <c>..</c> in the path, which no definition has, as another program makes it.</summary>
    private async Task MakeAsync(string name, string backing)
    {
        if (backing.Contains("..", StringComparison.Ordinal))
            HostProgram.Run("qemu-img", "create", "-q", "-f", "qcow2", "-u", "-b", backing, "-F", "raw", $"{host.Path}/{name}", "1M");
        else
            await DoneAsync(Overlay(name, backing));
    }

    private Task<StorageEvent> RunAsync(ICommand command) => worker.RunAsync(host.Pool, command, poolDirectories: [host.Path, Other]);

    private async Task DoneAsync(ICommand command)
    {
        var end = await RunAsync(command);
        Assert.True(end.Type == nameof(OperationSucceeded), $"{command}: {end.Data}");
    }

    private async Task<StorageError> FailedAsync(ICommand command)
    {
        var end = await RunAsync(command);
        Assert.True(end.Type == nameof(OperationFailed), $"{command}: {end.Type}");
        return end.Read<OperationFailed>().Error;
    }

    private static (string Code, string? Field) Said(StorageError error) => (error.Code, error.Field);
}
