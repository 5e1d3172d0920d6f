using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>What can be said about a command by itself: it is refused, or completed with its defaults.</summary>
public static class CommandRules
{
    private const int ReferenceLimit = 255;

    /// <exception cref="StorageException">Refused, with code and field.</exception>
    public static ICommand Complete(ICommand command)
    {
        switch (command)
        {
            case DefinePool define:
                return define with { Definition = Within("definition", () => PoolRules.Complete(define.Definition)) };
            case CreateVolumes create:
                CheckReference(create.Pool, "pool");
                CheckVolumes(create);
                return command;
            case CreateVolume create:
                CheckReference(create.Pool, "pool");
                VolumeRules.CheckName(create.Volume.Name, "volume.name");
                return command;
            case CloneVolume clone:
                CheckReference(clone.Pool, "pool");
                VolumeRules.CheckName(clone.Volume.Name, "volume.name");
                VolumeRules.CheckName(clone.SourceVolume, "sourceVolume");
                return command;
            case BuildPool { Pool: var pool }:
                return Checked(command, pool);
            case StartPool { Pool: var pool }:
                return Checked(command, pool);
            case StopPool { Pool: var pool }:
                return Checked(command, pool);
            case RefreshPool { Pool: var pool }:
                return Checked(command, pool);
            case DeletePool { Pool: var pool }:
                return Checked(command, pool);
            case UndefinePool { Pool: var pool }:
                return Checked(command, pool);
            case SetPoolAutostart { Pool: var pool }:
                return Checked(command, pool);
            case ResizeVolume { Pool: var pool, Volume: var volume } resize:
                if (resize.Capacity is null)
                    throw new StorageException(ErrorCodes.InvalidArgument, "A capacity is required.", "capacity");
                return Checked(command, pool, volume);
            case WipeVolume { Pool: var pool, Volume: var volume }:
                return Checked(command, pool, volume);
            case DeleteVolume { Pool: var pool, Volume: var volume }:
                return Checked(command, pool, volume);
            case RefreshVolume { Pool: var pool, Volume: var volume }:
                return Checked(command, pool, volume);
            default:
                return command;
        }
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

    private static ICommand Checked(ICommand command, string pool, string? volume = null)
    {
        CheckReference(pool, "pool");
        if (volume is not null)
            VolumeRules.CheckName(volume, "volume");
        return command;
    }

    private static void CheckReference(string pool, string field)
    {
        if (pool is null or "" || Utf8Order.ByteCount(pool) > ReferenceLimit)
            throw new StorageException(ErrorCodes.InvalidArgument, "A pool is named by its uuid or its name.", field);
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
