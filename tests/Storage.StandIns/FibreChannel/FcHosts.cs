using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Storage.StandIns;

/// <summary>
/// A stand-in for the part of sysfs that Fibre Channel hosts have, in a folder in the place of <c>/sys</c>: <c>class/fc_host/hostN</c>,
/// <c>class/scsi_host/hostN</c>, and virtual hosts (NPIV) that are made and removed by what is written to <c>vport_create</c> and
/// <c>vport_delete</c> (<c>WWPN:WWNN</c>). These two are pipes. A write to one always succeeds, other than the kernel's: what it would
/// refuse is in <see cref="Refused"/>.
/// </summary>
public sealed partial class FcHosts : IDisposable
{
    private readonly string folder;
    private readonly Lock gate = new();
    private readonly List<FileStream> pipes = [];
    private readonly List<string> refused = [];

    /// <param name="folder">In the place of <c>/sys</c>.</param>
    public FcHosts(string folder) => this.folder = folder;

    /// <summary>What was written and not done: the WWNs, and the kernel's error for it.</summary>
    public IReadOnlyList<string> Refused
    {
        get
        {
            lock (gate)
                return [.. refused];
        }
    }

    /// <summary>The command: writes the tree, and serves its pipes until the standard input ends.</summary>
    public static int Run(string folder, string[] hosts)
    {
        using var tree = new FcHosts(folder);
        foreach (var host in hosts)
            tree.Add(FcHost.Parse(host));
        Console.WriteLine("ready");
        while (Console.In.ReadLine() is not null)
        {
        }
        return 0;
    }

    /// <summary>A host of the machine.</summary>
    public void Add(FcHost host)
    {
        lock (gate)
            Write(host, $"devices/pci0000:00/0000:00:{host.Number:x2}.0/{host.Name}", "NPort (fabric via point-to-point)");
    }

    public void Dispose()
    {
        foreach (var pipe in pipes)
            pipe.Dispose();
    }

    private void Write(FcHost host, string device, string portType)
    {
        WriteClass("scsi_host", host, device, new()
        {
            ["proc_name"] = "lpfc",
            ["state"] = "running",
            ["unique_id"] = $"{host.Number}",
            ["active_mode"] = "Initiator",
            ["scan"] = "",
        });
        Dictionary<string, string> files = new()
        {
            ["node_name"] = $"0x{host.NodeName}",
            ["port_name"] = $"0x{host.PortName}",
            ["fabric_name"] = $"0x{host.FabricName}",
            ["port_state"] = host.PortState,
            ["port_type"] = portType,
            ["speed"] = "8 Gbit",
        };
        if (host.MaxVports > 0)
            (files["max_npiv_vports"], files["npiv_vports_inuse"]) = ($"{host.MaxVports}", "0");
        var attributes = WriteClass("fc_host", host, device, files);
        if (host.MaxVports == 0)
            return;
        Serve(Path.Combine(attributes, "vport_create"), (port, node) => CreateVport(host, device, attributes, port, node));
        Serve(Path.Combine(attributes, "vport_delete"), (port, node) => DeleteVport(device, attributes, port, node));
    }

    /// <summary>The directory of the attributes is at the device; the class has a link to it.</summary>
    private string WriteClass(string name, FcHost host, string device, Dictionary<string, string> files)
    {
        var attributes = Directory.CreateDirectory(Path.Combine(folder, device, name, host.Name)).FullName;
        foreach (var (file, value) in files)
            File.WriteAllText(Path.Combine(attributes, file), value + "\n");
        var links = Directory.CreateDirectory(Path.Combine(folder, "class", name)).FullName;
        File.CreateSymbolicLink(Path.Combine(links, host.Name), Path.GetRelativePath(links, attributes));
        return attributes;
    }

    private string? CreateVport(FcHost parent, string device, string attributes, string port, string node)
    {
        var inUse = int.Parse(File.ReadAllText(Path.Combine(attributes, "npiv_vports_inuse")), CultureInfo.InvariantCulture);
        if (inUse >= parent.MaxVports)
            return "ENOSPC";
        if (Find(port, node) is not null)
            return "EEXIST";
        var number = Directory.EnumerateDirectories(Path.Combine(folder, "class", "scsi_host")).Max(path => int.Parse(Path.GetFileName(path)[4..], CultureInfo.InvariantCulture)) + 1;
        var vport = Enumerable.Range(0, parent.MaxVports).Select(index => $"vport-{parent.Number}:0-{index}").First(name => !Directory.Exists(Path.Combine(folder, device, name)));
        Write(new FcHost(number, node, port) { FabricName = parent.FabricName, MaxVports = 0 }, $"{device}/{vport}/host{number}", "NPIV VPORT");
        Count(attributes, inUse + 1);
        return null;
    }

    private string? DeleteVport(string device, string attributes, string port, string node)
    {
        if (Find(port, node) is not { } name || Directory.GetDirectories(Path.Combine(folder, device), "vport-*").FirstOrDefault(path => Directory.Exists(Path.Combine(path, name))) is not { } vport)
            return "ENOENT";
        File.Delete(Path.Combine(folder, "class", "fc_host", name));
        File.Delete(Path.Combine(folder, "class", "scsi_host", name));
        Directory.Delete(vport, recursive: true);
        Count(attributes, int.Parse(File.ReadAllText(Path.Combine(attributes, "npiv_vports_inuse")), CultureInfo.InvariantCulture) - 1);
        return null;
    }

    private string? Find(string port, string node) => Directory.EnumerateDirectories(Path.Combine(folder, "class", "fc_host"))
        .Where(path => Is(path, "port_name", port) && Is(path, "node_name", node)).Select(path => Path.GetFileName(path)).FirstOrDefault();

    private static bool Is(string host, string file, string name) => File.ReadAllText(Path.Combine(host, file)).TrimEnd('\n') == $"0x{name}";

    private static void Count(string attributes, int inUse) =>
        File.WriteAllText(Path.Combine(attributes, "npiv_vports_inuse"), $"{inUse}\n");

    /// <summary>Opened for both directions, so that there is always a reader and never an end.</summary>
    private void Serve(string path, Func<string, string, string?> change)
    {
        using (var made = Process.Start("mkfifo", ["--mode=200", path]))
            made.WaitForExit();
        var pipe = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
        pipes.Add(pipe);
        new Thread(() => Read(pipe, change)) { IsBackground = true }.Start();
    }

    private void Read(FileStream pipe, Func<string, string, string?> change)
    {
        var buffer = new byte[4096];
        var text = "";
        while (true)
        {
            int read;
            try
            {
                read = pipe.Read(buffer);
            }
            catch (Exception e) when (e is ObjectDisposedException or IOException)
            {
                return;
            }
            text += Encoding.ASCII.GetString(buffer, 0, read);
            foreach (Match match in Names().Matches(text))
            {
                lock (gate)
                {
                    if (change(match.Groups["port"].Value, match.Groups["node"].Value) is { } error)
                        refused.Add($"{match.Value} {error}");
                }
                text = text[(text.IndexOf(match.Value, StringComparison.Ordinal) + match.Length)..];
            }
        }
    }

    [GeneratedRegex("(?<port>[0-9a-f]{16}):(?<node>[0-9a-f]{16})")]
    private static partial Regex Names();
}
