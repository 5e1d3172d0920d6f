using System.Text;

namespace Storage.Contracts;

/// <summary>Paths on a host.</summary>
public static class Paths
{
    public const int MaxBytes = 4096;

    /// <summary>
    /// libvirt's form of a path: runs of <c>/</c> become one, one at the end goes, exactly two in front stay; a URI stays as it is.
    /// <c>..</c> is not resolved.
    /// </summary>
    public static string Sanitise(string path)
    {
        var scheme = path.IndexOf("://", StringComparison.Ordinal);
        if (scheme >= 0 && path.IndexOf('/', StringComparison.Ordinal) > scheme)
            return path;

        var clean = new StringBuilder(path.Length);
        var start = 0;
        if (path.StartsWith("//", StringComparison.Ordinal) && (path.Length == 2 || path[2] != '/'))
        {
            clean.Append("//");
            start = 2;
        }
        foreach (var c in path.AsSpan(start))
        {
            if (c != '/' || clean.Length == 0 || clean[^1] != '/')
                clean.Append(c);
        }
        if (clean.Length > Math.Max(1, start) && clean[^1] == '/')
            clean.Length--;
        return clean.ToString();
    }

    /// <summary>An absolute path of at most 4096 bytes, without control characters and without <c>..</c>.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.InvalidDefinition"/> with the field.</exception>
    public static void CheckAbsolute(string? path, string field)
    {
        CheckInside(path, field);
        if (path![0] != '/')
            throw PlainText.Invalid($"The path '{path}' is not absolute.", field);
    }

    /// <summary>A path, absolute or not, of at most 4096 bytes, without control characters and without <c>..</c>.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.InvalidDefinition"/> with the field.</exception>
    public static void CheckInside(string? path, string field)
    {
        PlainText.CheckGiven(path, field, MaxBytes);
        foreach (var segment in path.AsSpan().Split('/'))
        {
            if (path.AsSpan(segment) is "..")
                throw PlainText.Invalid($"The path '{path}' may not have a '..'.", field);
        }
    }
}
