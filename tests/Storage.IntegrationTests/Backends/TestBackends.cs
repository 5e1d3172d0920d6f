using System.Diagnostics;
using Xunit;

namespace Storage.IntegrationTests;

/// <summary>
/// A real RabbitMQ and a real PostgreSQL for all tests of the assembly. <c>TEST_BACKEND</c> says which: <c>docker</c> (containers),
/// <c>local</c> (the servers installed on this machine, as private processes) or <c>auto</c> (the first of the two that is there).
/// </summary>
public sealed class TestBackends : IAsyncLifetime
{
    private readonly ServerFolder _folder = new("storage-backends-");
    private int _spaces;

    /// <summary>
    /// The database writes to disk before it answers, as in production. Without it a killed server loses nothing that it has written to files,
    /// only a killed kernel would.
    /// </summary>
    public bool Durable { get; init; }

    /// <summary>As <see cref="Broker.ErlangArguments"/>.</summary>
    public TimeSpan? ConsumerTimeout { get; init; }

    /// <summary>What the servers write, where they are processes of this machine; else null.</summary>
    public string? Folder { get; private set; }

    /// <summary>Tests may stop, kill and start it, and leave it started.</summary>
    public Broker Broker { get; private set; } = null!;

    /// <summary>Tests may stop, kill and start it, and leave it started.</summary>
    public Database Database { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var watch = Stopwatch.StartNew();
        // The database server may run as another user.
        File.SetUnixFileMode(_folder.Path, (UnixFileMode)Convert.ToInt32("711", 8));
        var backend = Choose();
        Folder = backend == "local" ? _folder.Path : null;
        (Broker, Database) = backend == "docker" ? ContainerServers.Create(ConsumerTimeout) : await LocalServers.CreateAsync(_folder.Path, Durable, ConsumerTimeout);
        var cancellation = TestContext.Current.CancellationToken;
        await Task.WhenAll(Broker.StartAsync(cancellation), Database.StartAsync(cancellation));
        Console.WriteLine(
            $"[backends] {backend}: RabbitMQ {await Broker.VersionAsync(cancellation)}, PostgreSQL {await Database.VersionAsync(cancellation)}, up in {watch.Elapsed.TotalSeconds:0.0} s");
    }

    /// <summary>A new virtual host and a new database, which nothing else uses.</summary>
    public async Task<BackendSpace> CreateSpaceAsync()
    {
        var name = $"space{Interlocked.Increment(ref _spaces)}";
        var cancellation = TestContext.Current.CancellationToken;
        await Broker.CreateVirtualHostAsync(name, cancellation);
        await Database.CreateAsync(name, cancellation);
        return new BackendSpace(this, name);
    }

    /// <summary>A clean restart.</summary>
    public async Task RestartBrokerAsync()
    {
        await Broker.StopAsync();
        await Broker.StartAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>A clean restart.</summary>
    public async Task RestartDatabaseAsync()
    {
        await Database.StopAsync();
        await Database.StartAsync(TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (Broker is not null)
            await Broker.DisposeAsync();
        if (Database is not null)
            await Database.DisposeAsync();
        _folder.Dispose();
    }

    private static string Choose()
    {
        var wanted = Environment.GetEnvironmentVariable("TEST_BACKEND") is { Length: > 0 } value ? value : "auto";
        if (wanted is not ("auto" or "docker" or "local"))
            throw new InvalidOperationException($"TEST_BACKEND is {wanted}; it can be auto, docker or local.");
        if (wanted is "auto" or "docker" && ContainerServers.EngineAnswers())
            return "docker";
        var missing = LocalServers.Missing();
        if (wanted is "auto" or "local" && missing.Count == 0)
            return "local";
        throw new InvalidOperationException($"""
            The integration tests need RabbitMQ and PostgreSQL (TEST_BACKEND={wanted}). Either
            - start Docker (no engine answers at DOCKER_HOST or /var/run/docker.sock, or it is too old: set DOCKER_API_VERSION), or
            - install the servers: apt-get install rabbitmq-server postgresql{(missing.Count == 0 ? "" : $" (missing: {string.Join(", ", missing)})")}.
            """);
    }
}

/// <summary>A virtual host of the broker and a database, gone with the object.</summary>
public sealed class BackendSpace(TestBackends backends, string name) : IAsyncDisposable
{
    /// <summary>For <c>Bus__Uri</c>.</summary>
    public Uri Bus => backends.Broker.Address(name);

    /// <summary>For <c>Ledger__Connection</c>.</summary>
    public string Ledger => backends.Database.ConnectionString(name);

    public Task CutBusAsync(CancellationToken cancellationToken) => backends.Broker.CutAsync(name, cancellationToken);

    public Task CutLedgerAsync(CancellationToken cancellationToken) => backends.Database.CutAsync(name, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await backends.Broker.DeleteVirtualHostAsync(name, CancellationToken.None);
        await backends.Database.DropAsync(name, CancellationToken.None);
    }
}
