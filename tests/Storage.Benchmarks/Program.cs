using System.Globalization;
using System.Net.Http.Headers;
using Storage.Benchmarks;
using Storage.Benchmarks.Codec;
using Storage.Benchmarks.Libvirt;

// Measures a running Storage over HTTP: dotnet run -c Release --project tests/Storage.Benchmarks -- --url http://127.0.0.1:8080
// Or, in this process, image headers and XML: dotnet run -c Release --project tests/Storage.Benchmarks -- codec
// Or refreshes of large pools by a worker in this process: … -- refresh
// Or what reading files side by side brings a refresh, as root: … -- reading
// Or what a command costs each service: … -- services [--rounds N]
// Or what reading over HTTP costs each service: … -- reads [--rounds N]
// Or Storage beside libvirt, both started for it, as root: … -- libvirt [--rounds N] [--work TEXT...]
if (args is ["codec"])
{
    CodecCosts.Print();
    return 0;
}
if (args is ["refresh"])
{
    await RefreshCosts.PrintAsync();
    return 0;
}
if (args is ["reading"])
{
    await ReadingCosts.PrintAsync();
    return 0;
}
if (args is ["services", ..])
    return await ServiceCosts.RunAsync(args is [_, "--rounds", var times] ? int.Parse(times, CultureInfo.InvariantCulture) : 3);
if (args is ["reads", ..])
    return await ReadCosts.RunAsync(args is [_, "--rounds", var turns] ? int.Parse(turns, CultureInfo.InvariantCulture) : 3);
if (args is ["libvirt", ..])
    return await Comparison.RunAsync(
        args is [_, "--rounds", var rounds, ..] ? int.Parse(rounds, CultureInfo.InvariantCulture) : 3, [.. args.SkipWhile(arg => arg != "--work").Skip(1)]);
var options = Arguments.Read(args);
if (options is null)
{
    Console.Error.WriteLine("usage: codec | refresh | reading | services [--rounds N] | reads [--rounds N] | libvirt [--rounds N] [--work TEXT...] | --url URL [--token TOKEN] [--host HOST] [--path DIRECTORY ON THE HOST] [--rounds N]");
    return 2;
}
using var http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 256 }) { BaseAddress = options.Url, Timeout = TimeSpan.FromMinutes(5) };
if (options.Token is not null)
    http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", options.Token);
var pool = await BenchmarkPool.CreateAsync(http, options);
try
{
    await CreateVolumes.RunAsync(pool, count: 200, inFlight: 8); // Warm: code compiled, connections open.
    Console.WriteLine("| CreateVolume, sparse raw, posted until visible | per second | p50 ms | p99 ms |");
    Console.WriteLine("|---|---|---|---|");
    for (var round = 0; round < options.Rounds; round++)
    {
        foreach (var (inFlight, count) in new[] { (1, 300), (64, 2000) })
        {
            var result = await CreateVolumes.RunAsync(pool, count, inFlight);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"| {inFlight} in flight | {result.PerSecond:0} | {result.Median:0.0} | {result.Percentile99:0.0} |"));
        }
        var bulk = await CreateVolumes.RunBulkAsync(pool, 1000);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| 1000 in one command | {bulk:0} | | |"));
    }
    return 0;
}
finally
{
    await pool.RemoveAsync();
}
