using Xunit;

namespace Storage.IntegrationTests;

/// <summary>What a test needs of the host. Where it is missing the test is skipped with the reason, and fails in CI.</summary>
internal static class Requires
{
    /// <summary>A program on the path.</summary>
    public static void Tool(string name)
    {
        if (!(Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/usr/sbin").Any(folder => File.Exists(Path.Combine(folder, name))))
            Missing($"{name} is not installed");
    }

    public static void Missing(string reason)
    {
        if (Environment.GetEnvironmentVariable("CI") == "true")
            throw new InvalidOperationException($"In CI nothing may be missing: {reason}.");
        Assert.Skip(reason);
    }
}
