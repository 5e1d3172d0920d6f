using System.Globalization;
using System.Text;

namespace Storage.StandIns;

/// <summary>
/// A stand-in for the <c>dog</c> of Sheepdog 1.0, which no distribution has any more: the commands, texts and exit codes in
/// <c>dog.txt</c>, taken from the real tool. The cluster is the folder that <c>STORAGE_STANDIN_SHEEPDOG</c> names; without one there is
/// no daemon.
/// </summary>
public static class Dog
{
    public static int Run(string[] arguments)
    {
        try
        {
            var options = DogOptions.Parse(arguments);
            return Run(options, SheepdogFolder.Open(options));
        }
        catch (DogException e)
        {
            foreach (var line in e.Lines)
                Console.Error.WriteLine(line);
            if (e.Usage is { } usage)
                Console.WriteLine($"Usage: dog {usage} [-s snapshot] [-P] [-a address] [-p port] [-r] [-h]");
            return e.ExitCode;
        }
    }

    private static int Run(DogOptions options, SheepdogFolder folder) => options.Words switch
    {
        ["cluster", "format", ..] => Done(folder.Change(cluster => cluster.Format(), written: "using backend plain store")),
        ["cluster", "info", ..] => Done(folder.Look(cluster => ClusterInfo(cluster, options))),
        ["node", "info", ..] => Done(folder.Look(cluster => NodeInfo(cluster, options))),
        ["node", "list", ..] => Done(NodeList(options)),
        ["vdi", "list", .. var names] => Done(folder.Look(cluster => VdiListing.Of(cluster, names.FirstOrDefault(), options.Raw))),
        ["vdi", "create", var name, var size, ..] => Done(folder.Change(cluster => cluster.Create(Cut(name), VdiSize.Parse(size, "vdi create <vdiname> <size>"), options.Preallocate))),
        ["vdi", "create", ..] => throw new DogException(DogExit.Usage) { Usage = "vdi create <vdiname> <size>" },
        ["vdi", "resize", var name, var size, ..] => Done(folder.Change(cluster => cluster.Resize(name, VdiSize.Parse(size, "vdi resize <vdiname> <new size>")))),
        ["vdi", "delete", var name, ..] => Done(folder.Change(cluster => cluster.Delete(name, options.Snapshot))),
        ["vdi", "snapshot", var name, ..] => Done(folder.Change(cluster => cluster.Snapshot(name, options.Snapshot ?? ""))),
        ["vdi", "clone", var name, var clone, ..] => Done(folder.Change(cluster => cluster.Clone(name, options.Snapshot, clone))),
        ["vdi", "read", var name, .. var range] => Done(folder.Read(name, options.Snapshot, range)),
        ["vdi", "write", var name, .. var range] => Done(folder.Write(name, range)),
        _ => throw new DogException(DogExit.Usage, $"Invalid command '{string.Join(' ', options.Words)}'"),
    };

    private static int Done(string printed)
    {
        Console.Write(printed);
        return 0;
    }

    private static string ClusterInfo(SheepdogCluster cluster, DogOptions options) =>
        !cluster.Formatted ? "Cluster status: Waiting for cluster to be formatted\n\n"
        : options.Raw ? $"running, auto-recovery enabled\n \n {cluster.FormattedAt} 1 [{options.Address}:{options.Port}:128]\n"
        : "Cluster status: running, auto-recovery enabled\n\n";

    private static string NodeInfo(SheepdogCluster cluster, DogOptions options)
    {
        if (!cluster.Formatted)
            throw new DogException(DogExit.SystemFailure, "Response's result: Waiting for cluster to be formatted", "Cannot get information from any nodes");
        var (used, left) = (cluster.Used, SheepdogCluster.Capacity - cluster.Used);
        var percent = used * 100 / SheepdogCluster.Capacity;
        return options.Raw
            ? string.Create(CultureInfo.InvariantCulture, $"0 {SheepdogCluster.Capacity} {used} {left} {percent}%\nTotal {SheepdogCluster.Capacity} {used} {left} {percent}% {cluster.Promised}\n")
            : string.Create(CultureInfo.InvariantCulture, $"Id\tSize\tUsed\tAvail\tUse%\n 0\t{SheepdogCluster.Capacity >> 30} GB\t{used >> 20} MB\t{left >> 30} GB\t{percent,3}%\n");
    }

    private static string NodeList(DogOptions options) => options.Raw
        ? $"0 {options.Address}:{options.Port} 128 16777343\n"
        : $"  Id   Host:Port         V-Nodes       Zone\n   0   {options.Address}:{options.Port}      \t128   16777343\n";

    /// <summary>A longer name is cut without a word.</summary>
    private static string Cut(string name)
    {
        var bytes = Encoding.UTF8.GetBytes(name);
        return bytes.Length <= SheepdogCluster.MaxName ? name : Encoding.UTF8.GetString(bytes, 0, SheepdogCluster.MaxName);
    }
}

/// <summary>dog's exit codes.</summary>
internal static class DogExit
{
    public const int Failure = 1;
    public const int SystemFailure = 2;
    public const int Usage = 64;
}

/// <summary>The end of a command.</summary>
/// <param name="exitCode">See <see cref="DogExit"/>.</param>
/// <param name="lines">What is said on the standard error.</param>
internal sealed class DogException(int exitCode, params string[] lines) : Exception
{
    public int ExitCode => exitCode;

    public IReadOnlyList<string> Lines => lines;

    /// <summary>Of which command the usage is printed, on the standard output.</summary>
    public string? Usage { get; init; }
}
