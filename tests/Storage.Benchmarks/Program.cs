using System.Globalization;
using System.Net.Http.Headers;
using Storage.Benchmarks;
using Storage.Benchmarks.Codec;
using Storage.Benchmarks.Hosts;
using Storage.Benchmarks.Inventory;
using Storage.Benchmarks.Libvirt;
using Storage.Benchmarks.Memory;
using Storage.Benchmarks.Services;

// dotnet run -c Release --project tests/Storage.Benchmarks -- MODE; what is measured by each says Arguments.Usage.
switch (args.FirstOrDefault())
{
    case "codec":
        CodecCosts.Print();
        return 0;
    case "refresh":
        await RefreshCosts.PrintAsync();
        return 0;
    case "reading":
        await ReadingCosts.PrintAsync();
        return 0;
    case "services":
        return await ServiceCosts.RunAsync(Arguments.Number(args, "rounds") ?? 3);
    case "reads":
        return await ReadCosts.RunAsync(Arguments.Number(args, "rounds") ?? 3);
    case "libvirt":
        return await Comparison.RunAsync(Arguments.Number(args, "rounds") ?? 3, [.. args.SkipWhile(arg => arg != "--work").Skip(1).TakeWhile(arg => !arg.StartsWith("--", StringComparison.Ordinal))]);
    case "hosts":
        return await HostScaling.RunAsync(Arguments.Number(args, "rounds") ?? 3);
    case SimulatedHosts.Mode:
        return await SimulatedHosts.ServeAsync(args);
    case "inventory":
        return await InventoryGrowth.RunAsync(Arguments.Number(args, "volumes") ?? 1_000_000);
    case "memory":
        return await MemoryCosts.RunAsync();
}
var options = Arguments.Read(args);
if (options is null)
{
    Console.Error.WriteLine(Arguments.Usage);
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
                CultureInfo.InvariantCulture, $"| {inFlight} in flight | {result.PerSecond:0} | {result.Answers.P50:0.0} | {result.Answers.P99:0.0} |"));
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
