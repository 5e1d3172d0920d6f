using System.Globalization;

namespace Storage.Benchmarks;

internal sealed record Arguments(Uri Url, string? Token, string? Host, string Path, int Rounds)
{
    public static Arguments? Read(string[] args)
    {
        var values = new Dictionary<string, string>();
        for (var i = 0; i + 1 < args.Length; i += 2)
            values[args[i].TrimStart('-')] = args[i + 1];
        return args.Length % 2 == 0 && values.TryGetValue("url", out var url)
            ? new Arguments(
                new Uri(url), values.GetValueOrDefault("token"), values.GetValueOrDefault("host"),
                values.GetValueOrDefault("path") ?? System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"storage-benchmark-{Environment.ProcessId}"),
                int.Parse(values.GetValueOrDefault("rounds") ?? "3", CultureInfo.InvariantCulture))
            : null;
    }
}
