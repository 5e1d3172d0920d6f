using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// Definitions are checked once more before a backend is called: what comes by message has not necessarily passed our own door.
/// The one place for it.
/// </summary>
internal static class Definitions
{
    private const int NameBytes = 255;

    public static PoolDefinition Check(PoolDefinition? pool)
    {
        if (pool is null)
            throw new StorageException(ErrorCodes.InvalidArgument, "The run has no pool definition.", "pool");
        if (pool.Uuid is null)
            throw new StorageException(ErrorCodes.InvalidDefinition, "The pool definition has no uuid.", "uuid");
        return pool;
    }

    public static VolumeDefinition Check(PoolDefinition pool, VolumeDefinition volume)
    {
        CheckName(volume.Name);
        var formats = PoolTypes.Of(pool.Type).VolumeFormats;
        if (volume.Format is { } format && !formats.Contains(format))
            throw new StorageException(
                ErrorCodes.InvalidDefinition, $"'{format}' is no format of volumes in '{PoolTypes.Of(pool.Type).Name}' pools.", "format");
        return volume;
    }

    /// <summary>A name that stays inside the pool and is no option of a tool.</summary>
    public static string CheckName(string? name)
    {
        if (string.IsNullOrEmpty(name))
            throw new StorageException(ErrorCodes.InvalidDefinition, "A volume has a name.", "name");
        if (name is "." or ".." || name[0] == '-' || name.Any(c => c == '/' || char.IsControl(c)) || !Utf8Order.IsWellFormed(name))
            throw new StorageException(
                ErrorCodes.InvalidDefinition, "A volume's name has no '/', no control characters and no leading '-', and is not '.' or '..'.", "name");
        if (System.Text.Encoding.UTF8.GetByteCount(name) > NameBytes)
            throw new StorageException(ErrorCodes.InvalidDefinition, $"A volume's name has at most {NameBytes} bytes.", "name");
        return name;
    }
}
