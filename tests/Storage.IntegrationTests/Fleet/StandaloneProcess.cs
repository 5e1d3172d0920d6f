namespace Storage.IntegrationTests;

/// <summary>Everything in one process, with a SQLite file and no broker. Its data outlives <see cref="ServiceProcess.KillAsync"/>.</summary>
public sealed class StandaloneProcess : IAsyncDisposable
{
    private StandaloneProcess(IReadOnlyDictionary<string, string>? environment, IReadOnlyList<string> launcher)
    {
        var configuration = new Dictionary<string, string>(environment ?? new Dictionary<string, string>())
        {
            ["Standalone__DataFolder"] = Directory.CreateDirectory(Path.Combine(Folder, "data")).FullName,
        };
        Process = new ServiceProcess("Storage.Standalone", "standalone", Folder, configuration, launcher);
        Http = new HttpClient { BaseAddress = Process.Address };
        Client = new StorageClient(Http);
    }

    public ServiceProcess Process { get; }

    public HttpClient Http { get; }

    public StorageClient Client { get; }

    /// <summary>Holds the log, the data and whatever a test puts there.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("storage-standalone-").FullName;

    /// <summary>A target path for a pool: its parent exists, itself it does not.</summary>
    public string PoolPath(string name) => Path.Combine(Directory.CreateDirectory(Path.Combine(Folder, "pools")).FullName, name);

    /// <summary>Starts it, and returns when it is ready.</summary>
    /// <param name="launcher">As of <see cref="ServiceProcess"/>.</param>
    public static async Task<StandaloneProcess> StartAsync(IReadOnlyDictionary<string, string>? environment = null, params IReadOnlyList<string> launcher)
    {
        var standalone = new StandaloneProcess(environment, launcher);
        try
        {
            await standalone.Process.StartAsync();
            return standalone;
        }
        catch
        {
            await standalone.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Process.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}
