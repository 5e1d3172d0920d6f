using Storage.Contracts;

namespace Storage.Worker;

/// <summary>Volumes in an order in which they can be removed: each after those that are made of it.</summary>
public static class DeletionOrder
{
    public static IReadOnlyList<string> Of(IReadOnlyList<VolumeDefinition> volumes) => Of([.. volumes.Select(volume => (volume.Name, volume.BackingStore?.Path))]);

    /// <param name="volumes">
    /// Each with what it is made of: a name, or a path, of which only the last name counts. One that is elsewhere and has the name of a volume of
    /// the list makes no difference but to the order.
    /// </param>
    public static IReadOnlyList<string> Of(IReadOnlyList<(string Name, string? MadeOf)> volumes)
    {
        List<string> names = [.. volumes.Select(volume => volume.Name)];
        if (volumes.All(volume => volume.MadeOf is null))
            return names;
        var left = names.ToDictionary(name => name, _ => 0, StringComparer.Ordinal);
        var of = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, madeOf) in volumes)
        {
            if (Path.GetFileName(madeOf) is not { } origin || origin == name || !left.ContainsKey(origin))
                continue;
            of[name] = origin;
            left[origin]++;
        }
        var order = new List<string>(names.Count);
        foreach (var name in names.Where(name => left[name] == 0).ToList())
        {
            // Down to the first that something else is made of, too.
            for (var next = name; ; next = of[next])
            {
                order.Add(next);
                if (!of.TryGetValue(next, out var origin) || --left[origin] > 0)
                    break;
            }
        }
        // What is made of itself in a circle has no order.
        return order.Count == names.Count ? order : [.. order, .. names.Except(order)];
    }
}
