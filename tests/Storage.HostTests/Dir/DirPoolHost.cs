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

    public DirPoolHost()
    {
        Tools = new CliWrapToolRunner(NullLogger<CliWrapToolRunner>.Instance);
        qemuImg = new QemuImg(Tools);
        Backend = new DirPool(new LocalVolumes(qemuImg, NullLoggerFactory.Instance));
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
