using Storage.Contracts;

namespace Storage.Api;

/// <summary>What one host can do with a pool type.</summary>
/// <param name="Lost">The host's worker has not been heard of lately.</param>
/// <param name="Reason">Why the type is not available.</param>
/// <param name="Operations">All that can be done with pools, each with the reason where it cannot be here.</param>
/// <param name="VolumeFormats">The formats that can be made, each with the reason where it cannot.</param>
/// <param name="Tools">The tools that were looked for.</param>
/// <param name="Encryption">The formats of encryption that volumes can be made with, each with the reason where it cannot.</param>
public sealed record HostSupport(
    string Host,
    bool Lost,
    bool Available,
    string? Reason,
    IReadOnlyList<OperationSupport> Operations,
    IReadOnlyList<FormatSupport> VolumeFormats,
    IReadOnlyList<HostTool> Tools,
    IReadOnlyList<FormatSupport> Encryption)
{
    /// <param name="host">The host's name.</param>
    /// <param name="type">The type.</param>
    /// <param name="worker">The host's worker for the type's family; null where it has none.</param>
    public static HostSupport Of(string host, PoolTypeInfo type, WorkerView? worker)
    {
        var announced = worker?.PoolTypes.FirstOrDefault(row => row.Type == type.Type);
        var reason = (worker, announced) switch
        {
            (null, _) => $"No {WireNames.Of(type.Family)} worker was ever heard of on this host.",
            ({ Lost: true }, _) => "Its worker is lost.",
            (_, null) => $"The worker of this host does not serve {type.Name} pools.",
            (_, { Available: false }) => announced.Reason ?? "The worker of this host says that it cannot.",
            _ => null,
        };
        return new HostSupport(
            host,
            worker?.Lost ?? false,
            reason is null,
            reason,
            Operation(type, announced, reason).ToList(),
            announced?.VolumeFormats ?? [],
            announced?.Tools ?? [],
            announced?.Encryption ?? []);
    }

    private static IEnumerable<OperationSupport> Operation(PoolTypeInfo type, PoolTypeSupport? announced, string? unavailable)
    {
        foreach (var operation in Enum.GetValues<PoolOperations>())
        {
            if (operation == PoolOperations.None)
                continue;
            var name = operation.ToString();
            var reason = !type.Operations.HasFlag(operation) ? $"No {type.Name} pool can do this."
                : unavailable ?? (announced!.Operations.Contains(name) ? null : "The worker of this host cannot do this yet.");
            yield return new OperationSupport(name, reason is null, reason);
        }
    }
}

/// <param name="Operation">One of the operations of pool types.</param>
/// <param name="Available">It can be done.</param>
/// <param name="Reason">Why not.</param>
public sealed record OperationSupport(string Operation, bool Available, string? Reason);
