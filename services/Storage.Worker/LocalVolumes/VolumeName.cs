using System.Security.Cryptography;
using System.Text;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>Which names an entry of a local directory may have to be a volume.</summary>
public static class VolumeName
{
    private const int MaxBytes = 255;
    private const string TemporaryPrefix = ".storage-";
    private const string TemporarySuffix = ".part";

    /// <summary>Refuses a name that no new volume may have.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.InvalidDefinition"/> for the field <c>name</c>.</exception>
    public static void CheckNew(string name)
    {
        Names.Check(name, "name");
        if (IsTemporary(name))
            throw new StorageException(ErrorCodes.InvalidDefinition, $"The name '{name}' is kept for volumes in the making.", "name");
    }

    /// <summary>Whether a name can only mean an entry of the directory itself.</summary>
    public static bool IsEntry(string name) =>
        name.Length > 0
        && name is not ("." or "..")
        && !name.Contains('/')
        && !name.Contains('\0')
        && IsUnicode(name)
        && Encoding.UTF8.GetByteCount(name) <= MaxBytes;

    /// <summary>Whether an entry is a volume that is not complete yet.</summary>
    public static bool IsTemporary(string name) =>
        name.StartsWith(TemporaryPrefix, StringComparison.Ordinal) && name.EndsWith(TemporarySuffix, StringComparison.Ordinal);

    /// <summary>The operation that makes or made what has this name; null for other names.</summary>
    public static Guid? OperationOf(string temporary) =>
        IsTemporary(temporary) && temporary.Length > TemporaryPrefix.Length + 32
        && Guid.TryParseExact(temporary.AsSpan(TemporaryPrefix.Length, 32), "N", out var operation) ? operation : null;

    /// <summary>The name under which an operation makes a volume: the same again when the operation is resumed.</summary>
    public static string Temporary(Guid operation, string name)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)).AsSpan(0, 8));
        return $"{TemporaryPrefix}{operation:N}-{hash}{TemporarySuffix}";
    }

    /// <summary>A lone surrogate has no UTF-8 form and would reach the disk as another name.</summary>
    private static bool IsUnicode(string name)
    {
        for (var i = 0; i < name.Length; i++)
        {
            if (!char.IsSurrogate(name[i]))
                continue;
            if (!(i + 1 < name.Length && char.IsSurrogatePair(name[i], name[i + 1])))
                return false;
            i++;
        }
        return true;
    }
}
