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
        // A shell script that splits and expands the words that it is given.
        new("glusterfs", "mount.glusterfs", (host, dir) => $"{host}:{dir}", _ => ["direct-io-mode=1"]) { NotInPaths = " *?[\\" },
        // On these servers a lock keeps also its owner from writing to what is locked: qemu-img would stand in its own way.
        new("cifs", "mount.cifs", (host, dir) => $"//{host}/{dir.TrimStart('/')}", source => ["nobrl", .. CifsUser.Options(source)]),
    ];

    /// <summary>Characters that the mount program makes something else of.</summary>
    private string NotInPaths { get; init; } = "";

    public static NetfsProtocol Of(string format) => All.Single(protocol => protocol.Format == format);

    /// <summary>What mount is told.</summary>
    public string SourceOf(PoolDefinition pool) => Source(pool.Source.Hosts[0].Name.Trim('[', ']'), pool.Source.Dir!);

    /// <summary>Refuses paths that the mount program cannot be given: it would fail, or mount something else.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.UnsupportedConfiguration"/> with the field.</exception>
    public void CheckPaths(PoolDefinition pool)
    {
        foreach (var (path, field) in new[] { (LocalTarget.PathOf(pool), "target.path"), (pool.Source.Dir!, "source.dir") })
        {
            if (path.AsSpan().IndexOfAny(NotInPaths) >= 0)
                throw new StorageException(new StorageError(
                    ErrorCodes.UnsupportedConfiguration, $"{MountProgram} takes no path with a blank or one of the characters{NotInPaths}: {path}.", field, Resource: path));
        }
    }

    public HostCommand Mount(PoolDefinition pool) =>
        MountCommands.Mount(pool, SourceOf(pool), Format == "auto" ? null : Format, Options(pool.Source));

    private static IEnumerable<string> Version(PoolSource source) => source.ProtocolVersion is { } version ? [$"nfsvers={version}"] : [];

    /// <summary>An IPv6 address in a source with a colon: nfs(5).</summary>
    private static string Bracketed(string host) =>
        IPAddress.TryParse(host, out var address) && address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{host}]" : host;
}
