using Storage.Contracts;
using Xunit;

namespace Storage.HostTests;

/// <summary>A pool on a volume group of a host, driven by its worker's messages.</summary>
internal sealed class VolumeGroupUnderTest : IDisposable
{
    public const string Name = "guests";
    public const long MiB = 1 << 20;

    private readonly HostUnderTest host;
    private readonly string folder;

    /// <param name="devices">How many; loop devices, which can be taken away.</param>
    public VolumeGroupUnderTest(HostUnderTest host, int devices = 2)
    {
        this.host = host;
        folder = host.NewFolder();
        // udev asks LVM about every device that is written to: nobody here waits for that, and an emulated processor is busy with it.
        Devices = host.Shell($"""
            rule=/run/udev/rules.d/69-lvm.rules
            [ -e $rule ] || (mkdir -p /run/udev/rules.d; ln -s /dev/null $rule; ln -s /dev/null /run/udev/rules.d/69-dm-lvm.rules; udevadm control --reload)
            for number in $(seq {devices}); do truncate -s 256M {folder}/device$number; losetup --find --show {folder}/device$number; done
            """).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Pool = Of(Name, Devices);
    }

    public IReadOnlyList<string> Devices { get; }

    /// <summary>As its worker gets it.</summary>
    public PoolDefinition Pool { get; }

    /// <summary>An empty folder of the host.</summary>
    public string Folder => folder;

    public static PoolDefinition Of(string name, params IEnumerable<string> devices) => PoolRules.Complete(new PoolDefinition
    {
        Type = PoolType.Logical,
        Name = name,
        Uuid = Guid.NewGuid(),
        Source = new PoolSource { Devices = [.. devices.Select(device => new SourceDevice(device))] },
    });

    public static string Path(string volume) => $"/dev/{Name}/{volume}";

    public static VolumeDefinition Volume(string name, long capacity, VolumeLayout? layout = null, long? allocation = null) =>
        VolumeRules.Complete(PoolTypes.Of(PoolType.Logical), new VolumeDefinition { Name = name, Capacity = capacity, Allocation = allocation, Layout = layout });

    public static VolumeDefinition Snapshot(string name, string of, long? allocation = null) => VolumeRules.Complete(
        PoolTypes.Of(PoolType.Logical), new VolumeDefinition { Name = name, Allocation = allocation, BackingStore = new BackingStore(Path(of)) });

    public async Task StartAsync()
    {
        await DoneAsync(new BuildPool(null, Name));
        await DoneAsync(new StartPool(null, Name));
    }

    public Task<StorageEvent> CreateAsync(VolumeDefinition volume) => DoneAsync(new CreateVolume(null, Name, volume));

    public async Task<IReadOnlyList<VolumeDefinition>> RefreshAsync()
    {
        var end = await DoneAsync(new RefreshPool(null, Name));
        return [.. host.Events.Where(told => told.CommandId == end.CommandId && told.Type == nameof(VolumesObserved)).SelectMany(told => told.Read<VolumesObserved>().Volumes)];
    }

    public async Task<VolumeDefinition> SeeAsync(string volume) => (await RefreshAsync()).Single(seen => seen.Name == volume);

    public T Told<T>(StorageEvent end) => host.Events.Where(told => told.CommandId == end.CommandId && told.Type == typeof(T).Name).Select(told => told.Read<T>()).Single();

    public async Task<StorageEvent> DoneAsync(ICommand command, PoolDefinition? source = null, PoolDefinition? pool = null)
    {
        var end = await host.RunAsync(pool ?? Pool, command, source: source);
        Assert.True(end.Type == nameof(OperationSucceeded), $"{command}: {end.Data}");
        return end;
    }

    public async Task<StorageError> FailedAsync(ICommand command, PoolDefinition? source = null, PoolDefinition? pool = null)
    {
        var end = await host.RunAsync(pool ?? Pool, command, source: source);
        Assert.True(end.Type == nameof(OperationFailed), $"{command}: {end.Type}");
        return end.Read<OperationFailed>().Error;
    }

    public void Dispose() => host.Shell($$"""
        exec >&2
        grep -o ' {{folder}}/[^ ]*' /proc/self/mountinfo | xargs --no-run-if-empty umount --lazy || true
        lvm vgremove --force --force --yes --select 'vg_name={{Name}}' || true
        # Of devices that are gone something may be left to the kernel.
        for pass in 1 2; do
          dmsetup ls | sed -n 's/^\({{Name}}-[^\t]*\)\t.*/\1/p' | xargs --no-run-if-empty dmsetup remove --force || true
        done
        losetup --detach {{string.Join(' ', Devices)}} || true
        rm -rf {{folder}}
        """);
}
