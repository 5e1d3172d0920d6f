using System.Globalization;

namespace Storage.Contracts;

/// <summary>Where in a document the fields of the model stand, so that who sent XML is told the place in XML.</summary>
internal static class DocumentPaths
{
    private const string Permissions = "permissions";

    private static readonly Dictionary<string, string> Pool = new(StringComparer.Ordinal)
    {
        ["copyOnWrite"] = "features/cow/@state",
        ["source.format"] = "source/format/@type",
        ["source.hosts"] = "source/host",
        ["source.hosts.name"] = "source/host/@name",
        ["source.hosts.port"] = "source/host/@port",
        ["source.devices"] = "source/device",
        ["source.devices.path"] = "source/device/@path",
        ["source.dir"] = "source/dir/@path",
        ["source.initiator"] = "source/initiator/iqn/@name",
        ["source.adapter.name"] = "source/adapter/@name",
        ["source.adapter.parent"] = "source/adapter/@parent",
        ["source.adapter.parentWwnn"] = "source/adapter/@parent_wwnn",
        ["source.adapter.parentWwpn"] = "source/adapter/@parent_wwpn",
        ["source.adapter.parentFabricWwn"] = "source/adapter/@parent_fabric_wwn",
        ["source.adapter.wwnn"] = "source/adapter/@wwnn",
        ["source.adapter.wwpn"] = "source/adapter/@wwpn",
        ["source.adapter.parentAddress.uniqueId"] = "source/adapter/parentaddr/@unique_id",
        ["source.adapter.parentAddress.domain"] = "source/adapter/parentaddr/address/@domain",
        ["source.adapter.parentAddress.bus"] = "source/adapter/parentaddr/address/@bus",
        ["source.adapter.parentAddress.slot"] = "source/adapter/parentaddr/address/@slot",
        ["source.adapter.parentAddress.function"] = "source/adapter/parentaddr/address/@function",
        ["source.auth.username"] = "source/auth/@username",
        ["source.auth.secret.usage"] = "source/auth/secret/@usage",
        ["source.auth.secret.type"] = "source/auth/secret/@type",
        ["source.protocolVersion"] = "source/protocol/@ver",
        ["source.vendor"] = "source/vendor/@name",
        ["source.product"] = "source/product/@name",
        ["mountOptions"] = "mount_opts/option/@name",
        ["configOptions.name"] = "config_opts/option/@name",
        ["configOptions.value"] = "config_opts/option/@value",
    };

    private static readonly Dictionary<string, string> Volume = new(StringComparer.Ordinal)
    {
        ["format"] = "target/format/@type",
        [Permissions] = "target/permissions",
        ["compat"] = "target/compat",
        ["clusterSize"] = "target/clusterSize",
        ["features"] = "target/features",
        ["backingStore.format"] = "backingStore/format/@type",
        ["encryption"] = "target/encryption",
        ["encryption.format"] = "target/encryption/@format",
        ["encryption.engine"] = "target/encryption/@engine",
        ["encryption.secrets"] = "target/encryption/secret",
        ["encryption.secrets.type"] = "target/encryption/secret/@type",
        ["encryption.secrets.usage"] = "target/encryption/secret/@usage",
        ["encryption.cipher"] = "target/encryption/cipher",
        ["encryption.cipher.name"] = "target/encryption/cipher/@name",
        ["encryption.cipher.size"] = "target/encryption/cipher/@size",
        ["encryption.cipher.mode"] = "target/encryption/cipher/@mode",
        ["encryption.cipher.hash"] = "target/encryption/cipher/@hash",
        ["encryption.ivgen.name"] = "target/encryption/ivgen/@name",
        ["encryption.ivgen.hash"] = "target/encryption/ivgen/@hash",
    };

    /// <summary>Judges a document, and names the place of a mistake in it.</summary>
    public static T Judge<T>(InputElement document, Func<T> judge)
    {
        try
        {
            return judge();
        }
        catch (StorageException e) when (e.Error.Field is { } field && !IsPath(document, field))
        {
            throw new StorageException(e.Error with { Field = Find(document, field) }, e);
        }
    }

    private static bool IsPath(InputElement document, string field) =>
        field == document.Display || field.StartsWith($"{document.Display}/", StringComparison.Ordinal);

    private static string Find(InputElement document, string field)
    {
        var indexes = new Queue<int>();
        var names = string.Join('.', field.Split('.').Select(part => WithoutIndex(part, indexes)));
        // A source that is read alone is the root itself.
        var paths = document.LocalName == "volume" ? Volume : Pool;
        var path = paths.GetValueOrDefault(names)
            ?? (document.LocalName == "volume" && names.StartsWith($"{Permissions}.", StringComparison.Ordinal) ? $"target/{names}" : names).Replace('.', '/');
        if (document.LocalName == "source" && path.StartsWith("source/", StringComparison.Ordinal))
            path = path["source/".Length..];
        return Follow(document, path.Split('/'), indexes);
    }

    /// <summary>The path of the element that is there, and what is missing behind it.</summary>
    private static string Follow(InputElement element, ReadOnlySpan<string> steps, Queue<int> indexes)
    {
        for (var i = 0; i < steps.Length; i++)
        {
            var step = steps[i];
            var found = element.Elements.Where(child => child.LocalName == step).ToList();
            var index = found.Count > 1 && indexes.TryPeek(out var wanted) && wanted < found.Count ? indexes.Dequeue() : 0;
            if (found.Count == 0)
                return $"{element.Path}/{string.Join('/', steps[i..])}";
            element = found[index];
        }
        return element.Path;
    }

    private static string WithoutIndex(string part, Queue<int> indexes)
    {
        var bracket = part.IndexOf('[', StringComparison.Ordinal);
        if (bracket < 0)
            return part;
        indexes.Enqueue(int.Parse(part.AsSpan((bracket + 1)..^1), CultureInfo.InvariantCulture));
        return part[..bracket];
    }
}
