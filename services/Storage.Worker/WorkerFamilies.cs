using Microsoft.Extensions.Configuration;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>Which families a process serves that could serve several.</summary>
public static class WorkerFamilies
{
    /// <summary>Their names, separated by commas or blanks. Where nothing is said it is all that are built.</summary>
    public const string Key = $"{WorkerOptions.Section}:Families";

    /// <exception cref="InvalidOperationException">A family is named that is not built.</exception>
    public static IReadOnlyList<PoolFamily> Chosen(IConfiguration configuration, IEnumerable<PoolFamily> built)
    {
        var byName = built.Order().ToDictionary(family => family.ToString(), StringComparer.OrdinalIgnoreCase);
        var named = (configuration[Key] ?? "").Split([',', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        foreach (var name in named)
        {
            if (!byName.ContainsKey(name))
                throw new InvalidOperationException($"{Key} names '{name}': there are {string.Join(", ", byName.Keys).ToLowerInvariant()}.");
        }
        return named.Length == 0 ? [.. byName.Values] : [.. named.Select(name => byName[name]).Distinct()];
    }
}
