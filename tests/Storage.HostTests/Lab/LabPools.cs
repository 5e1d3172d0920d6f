using Storage.Contracts;

namespace Storage.HostTests;

/// <summary>A directory that the lab's NFS server exports.</summary>
internal sealed class NfsPool : PoolUnderTest
{
    private const long Size = 64L << 20;
    private readonly string directory;

    /// <param name="version">Of the protocol.</param>
    /// <param name="options">Options of the export.</param>
    public NfsPool(HostUnderTest host, string version, string options = "no_root_squash")
        : base(host)
    {
        directory = LabNfsServer.Export(host, Size, options);
        Definition = Complete(new PoolDefinition
        {
            Type = PoolType.Netfs,
            Source = new PoolSource { Hosts = [new SourceHost("127.0.0.1")], Dir = directory, Format = "nfs", ProtocolVersion = version },
        });
    }

    public override PoolDefinition Definition { get; }

    public override long? Room => Size;

    /// <summary>What is exported, on the server.</summary>
    public string Exported => directory;

    public override void Dispose()
    {
        base.Dispose();
        LabNfsServer.Remove(Host, directory);
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
