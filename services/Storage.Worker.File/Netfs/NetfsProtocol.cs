using System.Net;
using System.Net.Sockets;
using Storage.Contracts;

namespace Storage.Worker.File;

/// <summary>How one kind of server is mounted.</summary>
/// <param name="Format">The source format.</param>
/// <param name="MountProgram">What mount needs for it; null where it depends on what is found.</param>
/// <param name="Source">What mount is told, from host and directory.</param>
/// <param name="Options">What it adds to the mount options.</param>
public sealed record NetfsProtocol(
    string Format, string? MountProgram, Func<string, string, string> Source, Func<PoolSource, IEnumerable<string>> Options)
{
    public static IReadOnlyList<NetfsProtocol> All { get; } =
    [
        new("auto", null, (host, dir) => $"{Bracketed(host)}:{dir}", Version),
        new("nfs", "mount.nfs", (host, dir) => $"{Bracketed(host)}:{dir}", Version),
        new("glusterfs", "mount.glusterfs", (host, dir) => $"{host}:{dir}", _ => ["direct-io-mode=1"]),
        new("cifs", "mount.cifs", (host, dir) => $"//{host}/{dir.TrimStart('/')}", CifsUser.Options),
    ];

    public static NetfsProtocol Of(string format) => All.Single(protocol => protocol.Format == format);

    /// <summary>What mount is told.</summary>
    public string SourceOf(PoolDefinition pool) => Source(pool.Source.Hosts[0].Name.Trim('[', ']'), pool.Source.Dir!);

    public HostCommand Mount(PoolDefinition pool) =>
        MountCommands.Mount(pool, SourceOf(pool), Format == "auto" ? null : Format, Options(pool.Source));

    private static IEnumerable<string> Version(PoolSource source) => source.ProtocolVersion is { } version ? [$"nfsvers={version}"] : [];

    /// <summary>An IPv6 address in a source with a colon: nfs(5).</summary>
    private static string Bracketed(string host) =>
        IPAddress.TryParse(host, out var address) && address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{host}]" : host;
}
