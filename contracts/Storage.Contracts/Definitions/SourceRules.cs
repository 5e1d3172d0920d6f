using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace Storage.Contracts;

/// <summary>The source of a pool, as far as it can be judged alone.</summary>
internal static partial class SourceRules
{
    private const int MaxHostBytes = 253;
    private const int MaxIscsiNameBytes = 223;

    /// <summary>
    /// Checks the parts that the type has, in libvirt's order, and leaves out the others. What a type requires is checked by
    /// <see cref="PoolRules"/>, whose order differs.
    /// </summary>
    public static PoolSource Complete(PoolTypeInfo type, ISourceParts input)
    {
        var name = type.Has(SourceParts.Name) ? Name(type, input.Name) : null;
        var format = Format(type, input.Format);
        var completed = new PoolSource
        {
            Name = name,
            Format = format,
            Hosts = type.Has(SourceParts.Hosts) ? Each(input.Hosts, "source.hosts", Host) : [],
            Initiator = type.Has(SourceParts.Initiator) ? Initiator(input.Initiator) : null,
            Devices = type.Has(SourceParts.Devices) ? Each(input.Devices, "source.devices", (device, field) => Device(type, device, field)) : [],
            Dir = type.Has(SourceParts.Dir) ? Dir(type, input.Dir) : null,
            Adapter = type.Has(SourceParts.Adapter) ? input.Adapter : null,
            Auth = SecretRules.Complete(input.Auth, format, "source.auth"),
            ProtocolVersion = PlainText.Optional(input.ProtocolVersion, "source.protocolVersion"),
            Vendor = PlainText.Optional(input.Vendor, "source.vendor"),
            Product = PlainText.Optional(input.Product, "source.product"),
        };
        CheckProtocolVersion(type, completed);
        return completed;
    }

    /// <summary>Every item, checked under its own field; an item that is null is refused.</summary>
    public static IReadOnlyList<T> Each<T>(IReadOnlyList<T> items, string field, Func<T, string, T> complete)
    {
        var completed = new T[items.Count];
        for (var i = 0; i < completed.Length; i++)
        {
            var at = $"{field}[{i}]";
            completed[i] = items[i] is { } item ? complete(item, at) : throw PlainText.Invalid("A value is required.", at);
        }
        return completed;
    }

    private static string? Name(PoolTypeInfo type, string? input)
    {
        if (string.IsNullOrEmpty(input))
            return null;
        if (type.Has(PoolTraits.NestedSourceName))
            Names.CheckNested(input, "source.name");
        else
            Names.Check(input, "source.name");
        if (type.Has(PoolTraits.LogicalNames))
            LogicalNames.CheckGroup(input, "source.name");
        return input;
    }

    private static string? Format(PoolTypeInfo type, string? input)
    {
        if (type.SourceFormats.Count == 0)
            return null;
        var format = PlainText.Optional(input, "source.format") ?? type.DefaultSourceFormat;
        return type.SourceFormats.Contains(format)
            ? format
            : throw new StorageException(
                ErrorCodes.UnsupportedConfiguration, $"A {type.Name} pool has no source format '{format}'.", "source.format");
    }

    private static SourceHost Host(SourceHost host, string field)
    {
        PlainText.CheckGiven(host.Name, $"{field}.name", MaxHostBytes);
        if (!HostName().IsMatch(host.Name) && !IsIPv6(host.Name))
            throw PlainText.Invalid($"'{host.Name}' is not a host name or an IP address.", $"{field}.name");
        return host.Port switch
        {
            null or 0 => host with { Port = null },
            SourceHost.NoPort or (> 0 and <= ushort.MaxValue) => host,
            _ => throw PlainText.Invalid($"{host.Port} is not a port.", $"{field}.port"),
        };
    }

    private static bool IsIPv6(string name)
    {
        var bare = SourceHost.WithoutBrackets(name);
        return bare.Contains(':', StringComparison.Ordinal) && bare[0] != '[' && !bare.Contains('/', StringComparison.Ordinal)
            && IPAddress.TryParse(bare, out var address) && address.AddressFamily == AddressFamily.InterNetworkV6;
    }

    private static SourceDevice Device(PoolTypeInfo type, SourceDevice device, string field)
    {
        if (type.Has(PoolTraits.IscsiDevices))
            CheckIscsiName(device.Path, $"{field}.path");
        else
            CheckDevicePath(device.Path, $"{field}.path");
        return device with { FreeExtents = null };
    }

    /// <summary>A path, or the bare name of a device as zpool takes it.</summary>
    private static void CheckDevicePath(string? path, string field)
    {
        PlainText.CheckGiven(path, field, Paths.MaxBytes);
        if (!DeviceName().IsMatch(path!))
            Paths.CheckAbsolute(path, field);
    }

    private static string? Initiator(string? input)
    {
        if (string.IsNullOrEmpty(input))
            return null;
        CheckIscsiName(input, "source.initiator");
        return input;
    }

    private static void CheckIscsiName(string? name, string field)
    {
        PlainText.CheckGiven(name, field, MaxIscsiNameBytes);
        if (!IscsiName().IsMatch(name!))
            throw PlainText.Invalid($"'{name}' is not an iSCSI name such as iqn.2026-01.com.example:disks.", field);
    }

    private static string? Dir(PoolTypeInfo type, string? input)
    {
        var rooted = type.Has(PoolTraits.RootedDir);
        var dir = string.IsNullOrEmpty(input) ? (rooted ? "/" : null) : Paths.Sanitise(input);
        if (dir is null)
            return null;
        if (rooted)
            Paths.CheckAbsolute(dir, "source.dir");
        else
            Paths.CheckInside(dir, "source.dir");
        return dir;
    }

    private static void CheckProtocolVersion(PoolTypeInfo type, PoolSource source)
    {
        if (source.ProtocolVersion is not { } version)
            return;
        if (type.VersionedFormats.Count > 0 && !type.VersionedFormats.Contains(source.Format ?? ""))
            throw new StorageException(
                ErrorCodes.UnsupportedConfiguration, "A protocol version can only be asked for with NFS.", "source.protocolVersion");
        if (!ProtocolVersion().IsMatch(version))
            throw PlainText.Invalid($"'{version}' is not a protocol version such as 4.1.", "source.protocolVersion");
    }

    [GeneratedRegex(@"\A[a-zA-Z0-9_][a-zA-Z0-9_.-]*\z")]
    private static partial Regex HostName();

    [GeneratedRegex(@"\A[a-zA-Z0-9_+][a-zA-Z0-9_+-]*\z")]
    private static partial Regex DeviceName();

    // RFC 3720 has iqn., eui. and naa. names, but targets with other names exist; the name becomes a part of paths.
    [GeneratedRegex(@"\A[^\s/-][^\s/]*\z")]
    private static partial Regex IscsiName();

    [GeneratedRegex(@"\A[0-9]{1,3}(?:\.[0-9]{1,3})?\z")]
    private static partial Regex ProtocolVersion();
}
