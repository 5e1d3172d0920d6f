using Xunit;

namespace Storage.Tests;

/// <summary>The files of the repository that these tests were built from.</summary>
internal static class Repository
{
    private const string Write = "STORAGE_WRITE_DOCUMENTS";

    public static string Root { get; } = FindRoot(AppContext.BaseDirectory);

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    /// <summary>The C# files under a folder, with paths from the root, without what builds and migrations generate.</summary>
    public static IEnumerable<string> Sources(string folder) =>
        Directory.EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Root, path))
            .Where(path => !path.Split('/').Any(part => part is "obj" or "bin" or "Migrations"))
            .Order(StringComparer.Ordinal);

    /// <summary>Compares a generated document with the committed one, or writes it where that was asked for.</summary>
    public static void AssertCommitted(string path, string generated)
    {
        var full = Path.Combine(Root, path);
        if (Environment.GetEnvironmentVariable(Write) == "1")
            File.WriteAllText(full, generated);
        var committed = File.Exists(full) ? File.ReadAllText(full) : "";
        if (committed == generated)
            return;
        var line = committed.Split('\n').Zip(generated.Split('\n')).TakeWhile(pair => pair.First == pair.Second).Count() + 1;
        Assert.Fail($"{path} is not what the code says, from line {line} on. "
            + $"Write it anew with {Write}=1 dotnet test --project tests/Storage.Tests and commit it.");
    }

    private static string FindRoot(string? folder)
    {
        while (folder is not null && !File.Exists(Path.Combine(folder, "Storage.sln")))
            folder = Path.GetDirectoryName(folder);
        return folder ?? throw new DirectoryNotFoundException("Storage.sln is in no folder above the tests.");
    }
}
