using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>What can be said about a command by itself: it is refused, or completed with its defaults.</summary>
public static class CommandRules
{
    private const int ReferenceLimit = 255;

    /// <exception cref="StorageException">Refused, with code and field.</exception>
    public static ICommand Complete(ICommand command)
    {
        if (command is DefinePool define)
            return define with { Definition = Within("definition", () => PoolRules.Complete(define.Definition)) };
        if (command is IPoolCommand { Pool: var pool } && (pool is null or "" || Utf8Order.ByteCount(pool) > ReferenceLimit))
            throw new StorageException(ErrorCodes.InvalidArgument, "A pool is named by its uuid or its name.", "pool");
        if (command is IVolumeCommand { Volume: var volume })
            VolumeRules.CheckName(volume, "volume");
        switch (command)
        {
            case CreateVolume { Volume.Name.Length: > 0 } create:
                VolumeRules.CheckName(create.Volume.Name, "volume.name");
                break;
            case CreateVolumes create:
                CheckVolumes(create);
                break;
            case DeleteVolumes delete:
                VolumeRules.CheckNames(delete.Volumes, DeleteVolumes.Limit, "volumes");
                break;
            case CloneVolume clone:
                if (clone.Volume.Name.Length > 0)
                    VolumeRules.CheckName(clone.Volume.Name, "volume.name");
                VolumeRules.CheckName(clone.SourceVolume, "sourceVolume");
                if (clone.SourceSecret is { } source)
                    return clone with { SourceSecret = SecretRules.Complete(source, "sourceSecret") };
                break;
            case MergeVolume merge:
                VolumeRules.CheckName(merge.Snapshot, "snapshot");
                if (merge.Snapshot == merge.Volume)
                    throw new StorageException(ErrorCodes.InvalidArgument, "A volume is no snapshot of itself.", "snapshot");
                break;
            case FindPoolSources find:
                return find with { Source = PoolRules.CompleteSource(find.Type, find.Source) };
            case ResizeVolume { Capacity: null }:
                throw new StorageException(ErrorCodes.InvalidArgument, "A capacity is required.", "capacity");
            case ResizeVolume { Secret: { } secret } resize:
                return resize with { Secret = SecretRules.Complete(secret, "secret") };
        }
        return command;
    }

    /// <summary>The rules of a volume depend on the type of the pool that it is for.</summary>
    public static ICommand CompleteFor(PoolTypeInfo type, ICommand command) => command switch
    {
        CreateVolume create => create with { Volume = Complete(type, create.Volume, "volume") },
        CloneVolume clone => clone with { Volume = Complete(type, clone.Volume, "volume", VolumePurpose.Clone) },
        CreateVolumes create => create with { Volumes = [.. create.Volumes.Select((volume, i) => Complete(type, volume, $"volumes[{i}]"))] },
        _ => command,
    };

    private static VolumeDefinition Complete(
        PoolTypeInfo type, VolumeDefinition volume, string field, VolumePurpose purpose = VolumePurpose.Create) =>
        Within(field, () => VolumeRules.Complete(type, volume, purpose));

    /// <summary>Names the field at fault as seen from the command.</summary>
    private static T Within<T>(string field, Func<T> rules)
    {
        try
        {
            return rules();
        }
        catch (StorageException e)
        {
            throw new StorageException(e.Error with { Field = e.Error.Field is null ? field : $"{field}.{e.Error.Field}" }, e);
        }
    }

    private static void CheckVolumes(CreateVolumes create)
    {
        if (create.Volumes is null || create.Volumes.Count is 0 or > CreateVolumes.Limit)
            throw new StorageException(ErrorCodes.InvalidArgument, $"1 to {CreateVolumes.Limit} volumes can be created at once.", "volumes");
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < create.Volumes.Count; i++)
        {
            if (create.Volumes[i] is null)
                throw new StorageException(ErrorCodes.InvalidDocument, "A volume in the list is null.", $"volumes[{i}]");
            VolumeRules.CheckName(create.Volumes[i].Name, $"volumes[{i}].name");
            if (!names.Add(create.Volumes[i].Name))
                throw new StorageException(ErrorCodes.VolumeExists, $"Volume '{create.Volumes[i].Name}' stands twice in the list.", $"volumes[{i}].name");
        }
    }
}
