namespace Storage.IntegrationTests;

/// <summary>A worker. Two with the same host share its state folder: one works, the other stands by.</summary>
/// <param name="Host">The name of the host that it works for.</param>
/// <param name="Project">Its program; that of file pools where nothing is said.</param>
public sealed record FleetWorker(string Host, string Project = "Storage.Worker.File");

/// <summary>What a fleet consists of, besides one Api and one Inventory.</summary>
public sealed record FleetLayout
{
    public IReadOnlyList<FleetWorker> Workers { get; init; } = [new("host-a")];

    /// <summary>More configuration, for all of its services.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>And for each service by its name.</summary>
    public Func<string, IReadOnlyDictionary<string, string>>? EnvironmentOf { get; init; }

    /// <summary>Its services are started again when they end with this code.</summary>
    public int? RestartOn { get; init; }

    /// <summary>A fleet with a worker for each of the hosts.</summary>
    public static FleetLayout Of(params string[] hosts) => new() { Workers = [.. hosts.Select(host => new FleetWorker(host))] };
}
