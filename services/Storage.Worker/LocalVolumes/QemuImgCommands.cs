using System.Globalization;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>Makes the argument lists of qemu-img. Pure.</summary>
public static class QemuImgCommands
{
    private const string DefaultCompat = "1.1";

    /// <summary><c>qemu-img create -f format [-b backing] [-o options] path [size]</c>, the options in libvirt's order.</summary>
    /// <param name="program">qemu-img.</param>
    /// <param name="path">The absolute path of the file to make.</param>
    /// <param name="volume">
    /// What to make, with its format. The size is its capacity rounded up to KiB; without one, or with 0, it is the backing store's.
    /// </param>
    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.UnsupportedConfiguration"/> for what the format does not have; <see cref="ErrorCodes.InvalidDefinition"/>
    /// where there is neither a capacity nor a backing store.
    /// </exception>
    public static HostCommand Create(string program, string path, VolumeDefinition volume)
    {
        CheckOptions(volume);
        var arguments = new List<string> { "create", "-f", volume.Format! };
        if (volume.BackingStore is { } backing)
            arguments.AddRange(["-b", backing.Path]);
        var options = Options(volume);
        if (options.Length > 0)
            arguments.AddRange(["-o", options]);
        arguments.Add(path);
        if (Size(volume) is { } size)
            arguments.Add(size);
        return new HostCommand(program, arguments);
    }

    public static HostCommand Version(string program) => new(program, "--version") { Deadline = TimeSpan.FromSeconds(30) };

    /// <summary>Ends with 0 where the format can be created, and with 1 where it is not known or only read.</summary>
    public static HostCommand CreateOptions(string program, string format) =>
        new(program, "create", "-f", format, "-o", "help") { AcceptedExitCodes = [0, 1], Deadline = TimeSpan.FromSeconds(30) };

    private static void CheckOptions(VolumeDefinition volume)
    {
        if (volume.Format != "qcow2")
        {
            Refuse(volume.Compat is not null, "compat", $"The format {volume.Format} has no compatibility level.");
            Refuse(volume.Features is not null, "features", $"The format {volume.Format} has no features.");
            Refuse(volume.ClusterSize is not null, "clusterSize", $"The cluster size of the format {volume.Format} cannot be chosen.");
            return;
        }
        Refuse(volume.Compat is not (null or "0.10" or "1.1"), "compat", $"'{volume.Compat}' is no compatibility level of qcow2: 0.10 or 1.1.");
        foreach (var feature in volume.Features ?? [])
        {
            Refuse(feature is not ("lazy_refcounts" or "extended_l2"), "features", $"The feature '{feature}' cannot be asked for.");
            Refuse(volume.Compat == "0.10", "features", $"The feature '{feature}' is not in compatibility level 0.10.");
        }
    }

    private static void Refuse(bool refused, string field, string message)
    {
        if (refused)
            throw new StorageException(ErrorCodes.UnsupportedConfiguration, message, field);
    }

    private static string Options(VolumeDefinition volume)
    {
        var options = new List<string>();
        if (volume.BackingStore is { } backing)
            options.Add($"backing_fmt={backing.Format ?? "raw"}");
        if (volume.NoCow)
            options.Add("nocow=on");
        if (volume.Format == "qcow2")
            options.Add($"compat={volume.Compat ?? DefaultCompat}");
        if (volume.ClusterSize is { } clusterSize)
            options.Add(string.Create(CultureInfo.InvariantCulture, $"cluster_size={clusterSize}"));
        if (volume.Features?.Contains("lazy_refcounts") == true)
            options.Add("lazy_refcounts");
        if (volume.Features?.Contains("extended_l2") == true)
            options.Add("extended_l2=on");
        return string.Join(',', options.Select(option => option.Replace(",", ",,", StringComparison.Ordinal)));
    }

    private static string? Size(VolumeDefinition volume)
    {
        const long KiB = 1024;
        if (volume.Capacity is null && volume.BackingStore is null)
            throw new StorageException(ErrorCodes.InvalidDefinition, "A volume without a backing store needs a capacity.", "capacity");
        var capacity = volume.Capacity ?? 0;
        return capacity == 0 && volume.BackingStore is not null
            ? null
            : (capacity / KiB + (capacity % KiB == 0 ? 0 : 1)).ToString(CultureInfo.InvariantCulture) + "K";
    }
}
