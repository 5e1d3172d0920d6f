using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;
using Storage.Contracts;

namespace Storage.Worker.File;

/// <summary>
/// What a server exports: NFS directories by showmount(8), Gluster volumes by <c>gluster --xml volume info</c>. A host without one of the
/// tools finds nothing of that kind.
/// </summary>
public sealed partial class NetfsSources(IToolRunner tools)
{
    public const string ShowMount = "showmount";
    public const string Gluster = "gluster";
    private const int MaxXml = 4 << 20;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.InvalidArgument"/> without exactly one host. <see cref="ErrorCodes.Unavailable"/>: the host has neither tool.
    /// What showmount failed with, where Gluster found nothing either.
    /// </exception>
    public async Task<IReadOnlyList<PoolSource>> FindAsync(PoolSource? where, CancellationToken cancellationToken)
    {
        if (where?.Hosts is not [var server])
            throw new StorageException(ErrorCodes.InvalidArgument, "To look for network file systems, name exactly one server.", "source.hosts");
        var host = server.Name.Trim('[', ']');
        if (ToolPath.Find(ShowMount) is null && ToolPath.Find(Gluster) is null)
            throw new StorageException(ErrorCodes.Unavailable, $"Neither {ShowMount} nor {Gluster} is installed on this host.");
        StorageException? failed = null;
        var found = new List<PoolSource>();
        try
        {
            if (ToolPath.Find(ShowMount) is not null)
                found.AddRange(ParseExports(await OutputAsync(ListExports(host), cancellationToken)).Select(dir => Of(server, dir, "nfs")));
        }
        catch (StorageException e)
        {
            failed = e;
        }
        if (ToolPath.Find(Gluster) is not null)
            found.AddRange(ParseVolumes(await OutputAsync(ListVolumes(host), cancellationToken)).Select(name => Of(server, name, "glusterfs")));
        return found.Count == 0 && failed is not null ? throw failed : found;
    }

    public static HostCommand ListExports(string host) => new(ShowMount, "--no-headers", "--exports", host) { Deadline = Patience, StallLimit = null };

    public static HostCommand ListVolumes(string host) => new(
        Gluster, "--xml", "--log-file=/dev/null", "volume", "info", "all", $"--remote-host={host}")
    {
        Deadline = Patience,
        StallLimit = null,
        AcceptedExitCodes = [0, 1],
    };

    /// <summary>One line for each directory: the path, which may have blanks, then who may mount it.</summary>
    public static IEnumerable<string> ParseExports(string output) =>
        output.Split('\n').Select(line => ExportLine().Match(line)).Where(line => line.Success).Select(line => line.Groups["dir"].Value);

    /// <summary>The names of the volumes; none where there is no answer: the tool says its errors in words, or as XML with exit code 0.</summary>
    public static IReadOnlyList<string> ParseVolumes(string output)
    {
        if (!output.TrimStart().StartsWith('<'))
            return [];
        var settings = new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, MaxCharactersInDocument = MaxXml };
        using var reader = XmlReader.Create(new StringReader(output), settings);
        try
        {
            return [.. XDocument.Load(reader).Descendants("volume").Select(volume => (string?)volume.Element("name")).OfType<string>().Where(name => name.Length > 0)];
        }
        catch (XmlException e)
        {
            throw new StorageException(new StorageError(ErrorCodes.ToolFailed, $"gluster printed what is no XML: {e.Message}", Tool: Gluster), e);
        }
    }

    private static PoolSource Of(SourceHost server, string dir, string format) => new() { Hosts = [server], Dir = dir, Format = format };

    private async Task<string> OutputAsync(HostCommand command, CancellationToken cancellationToken) =>
        (await tools.RunAsync(command, cancellationToken)).Stdout;

    [GeneratedRegex(@"^(?<dir>/.*\S) +\S+$|^(?<dir>/\S+)$", RegexOptions.CultureInvariant)]
    private static partial Regex ExportLine();
}
