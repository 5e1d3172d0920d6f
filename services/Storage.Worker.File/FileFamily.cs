using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Storage.Worker.File;

/// <summary>The pool types whose volumes are files under a directory of the host.</summary>
public static class FileFamily
{
    public static IServiceCollection AddFileFamily(this IServiceCollection services)
    {
        services.TryAddSingleton<IToolRunner, CliWrapToolRunner>();
        services.TryAddSingleton<QemuImg>();
        services.TryAddSingleton<Ploop>();
        services.TryAddSingleton<Cryptsetup>();
        services.TryAddSingleton<VolumeTools>();
        services.TryAddSingleton<LocalVolumes>();
        services.TryAddSingleton<Mounter>();
        services.TryAddSingleton<DeviceSignatures>();
        services.TryAddSingleton<VolumeGroupMembers>();
        services.TryAddSingleton<DeviceClaim>();
        services.TryAddSingleton<FileSystemMaker>();
        services.TryAddSingleton<NetfsSources>();
        services.AddSingleton<IPoolBackend, DirPool>();
        services.AddSingleton<IPoolBackend, FsPool>();
        services.AddSingleton<IPoolBackend, NetfsPool>();
        return services;
    }
}
