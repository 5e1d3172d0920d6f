using Storage.Contracts;

namespace Storage.Worker;

/// <summary>What a pool type needs of the host.</summary>
public static class HostTools
{
    /// <summary>Adds tools to what a worker says of a type: without the required ones the type is not available, the others make parts of it possible.</summary>
    public static PoolTypeSupport With(this PoolTypeSupport support, IEnumerable<string> required, IEnumerable<string> optional)
    {
        var needed = required.Select(Find).ToList();
        var missing = needed.Where(tool => tool.Path is null).Select(tool => tool.Name).ToList();
        return support with
        {
            Available = missing.Count == 0,
            Reason = missing.Count == 0 ? null : $"{string.Join(", ", missing)} not installed",
            Tools = [.. support.Tools, .. needed, .. optional.Select(Find)],
        };
    }

    private static HostTool Find(string name) => new(name, ToolPath.Find(name), Version: null);
}
