using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Storage.Contracts;
using Storage.Worker;
using Storage.Worker.File;

namespace Storage.HostTests;

/// <summary>A directory pool on this host, driven as its worker drives it.</summary>
public sealed class DirPoolHost : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("dir-pool-").FullName;
    private readonly QemuImg qemuImg;

    /// <param name="tools">Runs its tools; the ordinary runner where there is none.</param>
    public DirPoolHost(IToolRunner? tools = null)
    {
        Tools = tools ?? new CliWrapToolRunner(NullLogger<CliWrapToolRunner>.Instance);
        qemuImg = new QemuImg(Tools);
        Backend = new DirPool(new LocalVolumes(new VolumeTools(qemuImg, new Ploop(Tools), new Cryptsetup(Tools)), NullLoggerFactory.Instance));
        Pool = Defined("pool");
    }

    public IToolRunner Tools { get; }

    public DirPool Backend { get; }

    /// <summary>What it has of a local directory.</summary>
    public ILocalDirectoryPool Volumes => Backend;

    public PoolDefinition Pool { get; }

    public string Path => Pool.Target.Path!;

    public PoolDefinition Defined(string name) => new()
    {
        Type = PoolType.Dir,
        Name = name,
        Uuid = Guid.NewGuid(),
        Target = new PoolTarget { Path = System.IO.Path.Combine(folder, name) },
    };

    public static Run NewRun() => new(Guid.NewGuid(), false, _ => Task.CompletedTask, new Progress<OperationProgress>());

    public Task<VolumeDefinition> CreateAsync(VolumeDefinition volume, CancellationToken cancellationToken) =>
        Volumes.CreateVolumeAsync(Pool, VolumeRules.Complete(PoolTypes.Of(PoolType.Dir), volume), NewRun(), cancellationToken);

    public Task BuildAsync(CancellationToken cancellationToken) => Backend.BuildAsync(Pool, overwrite: false, NewRun(), cancellationToken);

    /// <summary>A volume of this pool as the source of a copy.</summary>
    public CloneSource Source(string volume, PoolDefinition? pool = null) => new(pool ?? Pool, Backend, volume);

    public Task<VolumeDefinition> CloneAsync(
        VolumeDefinition volume, CloneSource source, CancellationToken cancellationToken, bool reflink = false, Run? run = null) =>
        Volumes.CloneVolumeAsync(
            Pool, VolumeRules.Complete(PoolTypes.Of(PoolType.Dir), volume, VolumePurpose.Clone), source, reflink, run ?? NewRun(), cancellationToken);

    public string[] Names => [.. Directory.EnumerateFileSystemEntries(Path).Select(path => System.IO.Path.GetFileName(path)!).Order(StringComparer.Ordinal)];

    /// <summary>Fails unless a guest would see the same content in both, whatever their formats and sizes.</summary>
    public Task AssertSameContentAsync(string format, string path, string otherFormat, string otherPath, CancellationToken cancellationToken) =>
        Tools.RunAsync(new HostCommand(Requires.Tool("qemu-img"), "compare", "-f", format, "-F", otherFormat, path, otherPath), cancellationToken);

    /// <summary>Makes an image in the pool with what is in a raw file, as anybody could.</summary>
    public Task ImportAsync(string rawPath, string format, string volume, CancellationToken cancellationToken, params string[] options) => Tools.RunAsync(
        new HostCommand(Requires.Tool("qemu-img"), ["convert", "-f", "raw", "-O", format, .. options, rawPath, $"{Path}/{volume}"]), cancellationToken);

    /// <summary>What qemu-img says of a volume.</summary>
    public async Task<JsonElement> InfoAsync(string volume, CancellationToken cancellationToken)
    {
        var output = await Tools.RunAsync(
            new HostCommand(Requires.Tool("qemu-img"), "info", "--output=json", $"{Path}/{volume}"), cancellationToken);
        return JsonDocument.Parse(output.Stdout).RootElement;
    }

    public void Dispose()
    {
        qemuImg.Dispose();
        Directory.Delete(folder, recursive: true);
    }
}
