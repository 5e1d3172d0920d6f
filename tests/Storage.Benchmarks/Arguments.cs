using System.Globalization;

namespace Storage.Benchmarks;

internal sealed record Arguments(Uri Url, string? Token, string? Host, string Path, int Rounds)
{
    public const string Usage = """
        codec                              image headers and XML, in this process
        refresh                            refreshes of large pools by a worker in this process
        reading                            what reading files side by side brings a refresh; root
        services [--rounds N]              what a command costs each service, the broker and the database
        reads [--rounds N]                 what reading over HTTP costs them
        libvirt [--rounds N] [--work TEXT...]
                                           Storage beside libvirtd, both started for it, rates and delays; root
        hosts [--rounds N]                 commands per second of 1, 10 and 100 hosts
        inventory [--volumes N]            an inventory of a million volumes in pools of 1000
        memory                             what each service has in memory, idle and at its worst
        --url URL [--token TOKEN] [--host HOST] [--path DIRECTORY ON THE HOST] [--rounds N]
                                           a Storage that runs, over HTTP
        """;

    public static Arguments? Read(string[] args) => Value(args, "url") is { } url
        ? new Arguments(
            new Uri(url), Value(args, "token"), Value(args, "host"),
            Value(args, "path") ?? System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"storage-benchmark-{Environment.ProcessId}"),
            Number(args, "rounds") ?? 3)
        : null;

    public static int? Number(string[] args, string name) => Value(args, name) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;

    /// <summary>What follows <c>--name</c>; null where that is not said.</summary>
    public static string? Value(string[] args, string name) =>
        Array.IndexOf(args, $"--{name}") is var at and >= 0 && at + 1 < args.Length ? args[at + 1] : null;
}
