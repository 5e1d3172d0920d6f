using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Storage.Worker.Block;

/// <summary>The pool types whose volumes are block devices made on block devices of the host.</summary>
public static class BlockFamily
{
    public static IServiceCollection AddBlockFamily(this IServiceCollection services)
    {
        services.TryAddSingleton<IToolRunner, CliWrapToolRunner>();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<QemuImg>();
        services.TryAddSingleton<DeviceSignatures>();
        services.TryAddSingleton<VolumeGroupMembers>();
        services.TryAddSingleton<DeviceClaim>();
        services.TryAddSingleton<BlockWiper>();
        services.TryAddSingleton<BlockEncryption>();
        services.TryAddSingleton<BlockCloner>();
        services.TryAddSingleton<BlockShrink>();
        services.TryAddSingleton<Parted>();
        services.TryAddSingleton<Disks>();
        services.TryAddSingleton<PartitionChanges>();
        services.TryAddSingleton<PartitionMaker>();
        services.TryAddSingleton<Lvm>();
        services.TryAddSingleton<VolumeGroupMaker>();
        services.TryAddSingleton<LogicalVolumeMaker>();
        services.TryAddSingleton<LogicalVolumeChanges>();
        services.AddSingleton<IPoolBackend, DiskPool>();
        services.AddSingleton<IPoolBackend, LogicalPool>();
        return services;
    }
}
