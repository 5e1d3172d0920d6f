using Storage.Contracts;

namespace Storage.HostTests;

/// <summary>A directory that the lab's NFS server exports.</summary>
internal sealed class NfsPool : PoolUnderTest
{
    private const long Size = 64L << 20;
    private readonly string directory, server;

    /// <param name="version">Of the protocol; null leaves it to the client.</param>
    /// <param name="options">Options of the export.</param>
    /// <param name="server">The address of the server, which is also that of its client.</param>
    /// <param name="format">As the pool's definition says it.</param>
    public NfsPool(HostUnderTest host, string? version, string options = "no_root_squash", string server = "127.0.0.1", string format = "nfs")
        : base(host)
    {
        this.server = server;
        directory = LabNfsServer.Export(host, Size, server, options);
        Definition = Complete(new PoolDefinition
        {
            Type = PoolType.Netfs,
            Source = new PoolSource { Hosts = [new SourceHost(server)], Dir = directory, Format = format, ProtocolVersion = version },
        });
    }

    public override PoolDefinition Definition { get; }

    public override long? Room => Size;

    /// <summary>What is exported, on the server.</summary>
    public string Exported => directory;

    public override void Dispose()
    {
        base.Dispose();
        LabNfsServer.Remove(Host, directory, server);
    }
}

/// <summary>A share of the lab's Samba.</summary>
internal sealed class CifsPool : PoolUnderTest
{
    public CifsPool(HostUnderTest host, bool guest)
        : base(host)
    {
        var share = guest ? LabSmbServer.Guests : LabSmbServer.Users;
        LabSmbServer.Serve(host, share);
        Definition = Complete(new PoolDefinition
        {
            Type = PoolType.Netfs,
            Source = new PoolSource
            {
                Hosts = [new SourceHost("127.0.0.1")],
                Dir = share,
                Format = "cifs",
                Auth = guest ? null : new SourceAuth(AuthKind.Cifs, LabSmbServer.User, new SecretReference(Usage: AgentHost.SecretUsage)),
            },
        });
    }

    public override PoolDefinition Definition { get; }

    public override long? Room => LabSmbServer.Size;
}
