using System.Text;

namespace Storage.IntegrationTests;

/// <summary>Looks for secrets where none may be, as they are and in base64.</summary>
public sealed class SecretSearch(IReadOnlyList<string> secrets)
{
    private readonly IReadOnlyList<string> forms =
        [.. secrets, .. secrets.Select(secret => Convert.ToBase64String(Encoding.UTF8.GetBytes(secret)).TrimEnd('='))];

    /// <returns>What does not hold.</returns>
    public IEnumerable<string> In(string where, string text) =>
        forms.Any(form => text.Contains(form, StringComparison.Ordinal)) ? [$"A secret stands in {where}."] : [];

    /// <summary>In all files of a folder that match, and of those below it.</summary>
    public IEnumerable<string> InFiles(string folder, string pattern)
    {
        foreach (var file in Directory.EnumerateFiles(folder, pattern, SearchOption.AllDirectories))
        {
            // Others write to it meanwhile.
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var reader = new StreamReader(stream, Encoding.Latin1);
            foreach (var violation in In(Path.GetRelativePath(folder, file), reader.ReadToEnd()))
                yield return violation;
        }
    }
}
