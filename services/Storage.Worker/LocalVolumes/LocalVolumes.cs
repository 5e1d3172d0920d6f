using Microsoft.Extensions.Logging;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>What this host can do with volumes in local directories. One for all pool types: see <see cref="ILocalDirectoryPool"/>.</summary>
public sealed class LocalVolumes(VolumeTools tools, ILoggerFactory logs)
{
    public LocalVolumeCreator Creator { get; } = new(tools, logs.CreateLogger<LocalVolumeCreator>());

    public LocalVolumeCloner Cloner { get; } = new(tools, logs.CreateLogger<LocalVolumeCloner>());

    public LocalDeviceCloner DeviceCloner { get; } = new(tools, logs.CreateLogger<LocalDeviceCloner>());

    public LocalVolumeResizer Resizer { get; } = new(tools);

    public LocalVolumeWiper Wiper { get; } = new(TimeProvider.System);

    /// <summary>What refreshes in this process have read.</summary>
    public KnownHeaders Headers { get; } = new(TimeProvider.System);

    /// <summary>
    /// The part of <see cref="IPoolBackend.ProbeAsync"/> that pools in local directories share: the backend's operations, the formats that
    /// can be made here, and qemu-img. A type that needs more adds its tools, or says why it is not available.
    /// </summary>
    public async Task<PoolTypeSupport> ProbeAsync(IPoolBackend backend, CancellationToken cancellationToken)
    {
        var installation = await tools.QemuImg.FindAsync(cancellationToken);
        var formats = await tools.QemuImg.SupportAsync(PoolTypes.Of(backend.Type).VolumeFormats, cancellationToken);
        return new PoolTypeSupport(
            backend.Type,
            Available: true,
            Reason: null,
            BackendOperations.Of(backend),
            [.. formats.Select(format => format.Format == Ploop.Format ? Ploop.Support : format)],
            [new HostTool(QemuImg.Name, installation?.Path, installation?.Version)],
            [await tools.QemuImg.LuksAsync(cancellationToken), Cryptsetup.Support]);
    }
}
