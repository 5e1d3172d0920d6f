using Storage.TestServers;
using Storage.Worker;
using Xunit;

namespace Storage.HostTests;

/// <summary>What a test needs of the host. Where it is missing the test is skipped with the reason, and fails in CI.</summary>
internal static class Requires
{
    /// <summary>A program on the path.</summary>
    public static string Tool(string name) => ToolPath.Find(name) ?? throw Missing($"{name} is not installed");

    /// <summary>Programs on the path, and root to run them.</summary>
    public static void Tools(params IEnumerable<string> names)
    {
        Root();
        foreach (var name in names)
            Tool(name);
    }

    public static void Root()
    {
        if (!Environment.IsPrivilegedProcess)
            throw Missing("the test needs root");
    }

    public static void Broker()
    {
        if (LocalBroker.FindServer() is null)
            throw Missing("rabbitmq-server is not installed");
    }

    public static Exception Missing(string reason)
    {
        if (Environment.GetEnvironmentVariable("CI") == "true")
            return new InvalidOperationException($"In CI nothing may be missing: {reason}.");
        Assert.Skip(reason);
        return new InvalidOperationException(reason);
    }
}
