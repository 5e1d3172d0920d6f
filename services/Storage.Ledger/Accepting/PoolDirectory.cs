namespace Storage.Ledger;

/// <summary>The target directory of a pool on its host.</summary>
/// <param name="Pool">The pool.</param>
/// <param name="Named">As its definition says.</param>
/// <param name="Real">As its worker has seen it, without symbolic links; as named where it was not seen yet.</param>
/// <param name="HasFiles">Its volumes are files in it.</param>
public sealed record PoolDirectory(Guid Pool, string Named, string Real, bool HasFiles)
{
    /// <summary>The path without the symbolic links that are known: those in the names of pools' directories.</summary>
    public static string Resolve(string path, IReadOnlyList<PoolDirectory> known) =>
        known.Where(directory => Below(path, directory.Named) is not null).MaxBy(directory => directory.Named.Length) is { } of
            ? of.Real + Below(path, of.Named)
            : path;

    /// <summary>All known names of what has a real path.</summary>
    public static IEnumerable<string> NamesOf(string real, IReadOnlyList<PoolDirectory> known) =>
        known.Where(directory => Below(real, directory.Real) is not null).Select(directory => directory.Named + Below(real, directory.Real)).Append(real).Distinct();

    /// <summary>Whether a path, by either name, is in or below it.</summary>
    public bool Has(string path) => Below(path, Named) is not null || Below(path, Real) is not null;

    /// <summary>What follows in a path after a directory, with its slash; null where the path is not below it.</summary>
    public static string? Below(string path, string directory)
    {
        directory = directory.TrimEnd('/');
        return path.Length > directory.Length && path[directory.Length] == '/' && path.StartsWith(directory, StringComparison.Ordinal)
            ? path[directory.Length..]
            : null;
    }
}
