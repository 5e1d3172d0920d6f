using System.Globalization;
using System.Net.Http.Headers;
using Npgsql;
using RabbitMQ.Client;
using Xunit;

namespace Storage.IntegrationTests;

/// <summary>Api, Inventory and workers as processes, with a database, a virtual host and a folder of their own.</summary>
public sealed class Fleet : IAsyncDisposable
{
    private readonly FleetLayout _layout;
    private readonly string _token = Guid.NewGuid().ToString("N");
    private readonly List<ServiceProcess> _workers = [];
    private readonly HashSet<FleetWorker> _active = [];

    private Fleet(BackendSpace space, FleetLayout layout)
    {
        _layout = layout;
        Space = space;
        var control = new Dictionary<string, string> { ["Ledger__Connection"] = space.Ledger };
        Api = Service("Storage.Api", "api", new(control) { ["Api__Token"] = _token });
        Inventory = Service("Storage.Inventory", "inventory", control);
        Http = new HttpClient
        {
            BaseAddress = Api.Address,
            DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", _token) },
        };
        Client = new StorageClient(Http);
    }

    public BackendSpace Space { get; }

    /// <summary>What nobody may find in a log, an event or an answer.</summary>
    public IReadOnlyList<string> Secrets =>
        [_token, Space.Bus.UserInfo.Split(':')[1], new NpgsqlConnectionStringBuilder(Space.Ledger).Password!];

    public ServiceProcess Api { get; }

    public ServiceProcess Inventory { get; }

    /// <summary>The ones that work, then the ones that stand by, then those of <see cref="AddWorkerAsync"/>.</summary>
    public IReadOnlyList<ServiceProcess> Workers => _workers;

    /// <summary>Reaches the Api, with its token.</summary>
    public HttpClient Http { get; }

    public StorageClient Client { get; }

    /// <summary>Holds logs, state folders and whatever a test puts there.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("storage-fleet-").FullName;

    /// <summary>A target path for a pool: its parent exists, itself it does not.</summary>
    public string PoolPath(string name) => Path.Combine(Directory.CreateDirectory(Path.Combine(Folder, "pools")).FullName, name);

    /// <summary>Starts everything, and returns when all of it is ready.</summary>
    public static async Task<Fleet> StartAsync(TestBackends backends, FleetLayout? layout = null)
    {
        var fleet = new Fleet(await backends.CreateSpaceAsync(), layout ?? new FleetLayout());
        try
        {
            var workers = fleet._layout.Workers;
            await Task.WhenAll([fleet.Api.StartAsync(), fleet.Inventory.StartAsync(), .. workers.Distinct().Select(fleet.AddWorkerAsync)]);
            // Only now, so that it is known which ones stand by.
            foreach (var standby in workers.GroupBy(worker => worker).SelectMany(same => same.Skip(1)))
                await fleet.AddWorkerAsync(standby);
            await Eventually.HoldsAsync("the workers to be known", async _ =>
                (await fleet.Client.ReadAllAsync("/v1/hosts")).Count == workers.Distinct().Count());
            return fleet;
        }
        catch
        {
            await fleet.DisposeAsync();
            throw;
        }
    }

    /// <summary>One more worker. One that stands by for another is waited for until it is alive, all others until they are ready.</summary>
    public async Task<ServiceProcess> AddWorkerAsync(FleetWorker worker)
    {
        var state = Directory.CreateDirectory(Path.Combine(Folder, "state", worker.Host)).FullName;
        var number = (_workers.Count + 1).ToString(CultureInfo.InvariantCulture);
        var process = Service(worker.Project, $"worker-{number}-{worker.Host}", new()
        {
            ["Worker__Host"] = worker.Host,
            ["Worker__StateFolder"] = state,
        });
        _workers.Add(process);
        await (_active.Add(worker) ? process.StartAsync() : process.StartWithoutReadinessAsync());
        return process;
    }

    /// <summary>A connection to the fleet's virtual host, as any AMQP client has it.</summary>
    public Task<IConnection> ConnectAsync() =>
        new ConnectionFactory { Uri = Space.Bus }.CreateConnectionAsync(TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        foreach (var service in _workers.Append(Api).Append(Inventory))
            await service.DisposeAsync();
        await Space.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }

    private ServiceProcess Service(string project, string name, Dictionary<string, string> configuration)
    {
        configuration = new(configuration) { ["Bus__Uri"] = Space.Bus.OriginalString };
        foreach (var (key, value) in _layout.Environment.Concat(_layout.EnvironmentOf?.Invoke(name) ?? new Dictionary<string, string>()))
            configuration[key] = value;
        return new ServiceProcess(project, name, Folder, configuration) { RestartOn = _layout.RestartOn };
    }
}

/// <summary>A fleet of one host for all tests of a class: <c>IClassFixture&lt;FleetFixture&gt;</c>.</summary>
public sealed class FleetFixture(TestBackends backends) : IAsyncLifetime
{
    public Fleet Fleet { get; private set; } = null!;

    public TestBackends Backends { get; } = backends;

    public async ValueTask InitializeAsync() => Fleet = await Fleet.StartAsync(Backends);

    public async ValueTask DisposeAsync()
    {
        if (Fleet is not null)
            await Fleet.DisposeAsync();
    }
}
