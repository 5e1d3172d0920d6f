using Microsoft.Extensions.Logging;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>What this host can do with volumes in local directories. One for all pool types: see <see cref="ILocalDirectoryPool"/>.</summary>
public sealed class LocalVolumes(QemuImg qemuImg, ILoggerFactory logs)
{
    public LocalVolumeCreator Creator { get; } = new(qemuImg, logs.CreateLogger<LocalVolumeCreator>());

    public LocalVolumeCloner Cloner { get; } = new(qemuImg, logs.CreateLogger<LocalVolumeCloner>());

    public LocalVolumeResizer Resizer { get; } = new(qemuImg);

    /// <summary>What refreshes in this process have read.</summary>
    public KnownHeaders Headers { get; } = new(TimeProvider.System);

    /// <summary>
    /// The part of <see cref="IPoolBackend.ProbeAsync"/> that pools in local directories share: the backend's operations, the formats that
    /// can be made here, and qemu-img. A type that needs more adds its tools, or says why it is not available.
    /// </summary>
    public async Task<PoolTypeSupport> ProbeAsync(IPoolBackend backend, CancellationToken cancellationToken)
    {
        var installation = await qemuImg.FindAsync(cancellationToken);
        return new PoolTypeSupport(
            backend.Type,
            Available: true,
            Reason: null,
            BackendOperations.Of(backend),
            await qemuImg.SupportAsync(PoolTypes.Of(backend.Type).VolumeFormats, cancellationToken),
            [new HostTool(QemuImg.Name, installation?.Path, installation?.Version)],
            await qemuImg.EncryptionAsync(cancellationToken));
    }
}
