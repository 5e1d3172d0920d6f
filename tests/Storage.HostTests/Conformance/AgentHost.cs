using System.Text;
using System.Text.Json;
using Storage.Contracts;
using Storage.TestServers;
using Xunit;

namespace Storage.HostTests;

/// <summary>
/// A host of a fleet: the agent runs on it as a process of its own and works over a real RabbitMQ, with what it needs of the other services.
/// It can be killed at a step of a run and started again.
/// </summary>
internal abstract class AgentHost : HostUnderTest
{
    public const string SecretUsage = "lab-share";
    public const string Password = "pass,word %$HOME'\"";

    /// <summary>The agent's start takes no longer, where the machine has nothing better to do.</summary>
    public static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private const string HostName = "lab";
    private static readonly TimeSpan AnnounceLimit = TimeSpan.FromMinutes(4);
    private static readonly TimeSpan RunLimit = TimeSpan.FromMinutes(5);

    private readonly ServerFolder folder = new("agent-host-");
    private readonly ToldEvents told = new();
    private Broker broker = null!;
    private LabInventory inventory = null!;

    public override IEnumerable<StorageEvent> Events => told.All;

    /// <summary>Where the broker is for processes of this machine.</summary>
    protected Uri Bus => broker.Address(HostName);

    /// <summary>The file on the host that the agent looks for at each of its steps; what is in it is where it kills itself.</summary>
    protected abstract string KillFile { get; }

    public override async Task<StorageEvent> RunAsync(
        PoolDefinition pool, ICommand command, Guid? id = null, PoolDefinition? source = null, VolumeDefinition? sourceVolume = null)
    {
        var run = NewRun(pool, command, id) with { SourcePool = source, SourceVolume = sourceVolume };
        await SendAsync(run);
        return await EndOfAsync(run.OperationId);
    }

    /// <summary>The agent is killed when the run comes to a step, and started again.</summary>
    /// <param name="step">Of <c>WorkerSteps</c>, with the number of the pass: <c>ToolEnded#1</c>.</param>
    /// <returns>The operation's terminal event.</returns>
    public async Task<StorageEvent> RunKilledAtAsync(string step, PoolDefinition pool, ICommand command) =>
        await GoesOnAsync(await KilledAtAsync(step, pool, command));

    /// <summary>The first half of <see cref="RunKilledAtAsync"/>: the agent is killed.</summary>
    public async Task<Guid> KilledAtAsync(string step, PoolDefinition pool, ICommand command)
    {
        Shell($"echo '{step}' >{KillFile}~; mv {KillFile}~ {KillFile}");
        var run = NewRun(pool, command, null);
        await SendAsync(run);
        try
        {
            await AgentEndedAsync();
        }
        finally
        {
            Shell($"rm -f {KillFile}");
        }
        return run.OperationId;
    }

    /// <summary>The second half: it is started again.</summary>
    public async Task<StorageEvent> GoesOnAsync(Guid operation)
    {
        await StartAgentAsync();
        return await EndOfAsync(operation);
    }

    public override Task DeliverAsync(Guid id, PoolDefinition pool, ICommand command) => SendAsync(NewRun(pool, command, id));

    /// <summary>At both families: of what it does not have, the other one says nothing.</summary>
    public override async Task CancelAsync(Guid id)
    {
        foreach (var family in Families)
            await inventory.SendAsync(Queues.Worker(family, HostName), new CancelRun(id), TestContext.Current.CancellationToken);
    }

    public override Task<StorageEvent> EndOfAsync(Guid id) => told.EndOfAsync(id).WaitAsync(RunLimit, TestContext.Current.CancellationToken);

    /// <summary>The first event so far, or to come, that is wanted.</summary>
    public Task<StorageEvent> SeenAsync(Func<StorageEvent, bool> wanted) => told.FirstAsync(wanted);

    /// <summary>It is there for the next test.</summary>
    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static IReadOnlyList<PoolFamily> Families => [PoolFamily.File, PoolFamily.Block];

    /// <summary>Starts the agent; with <see cref="Settings"/> and, so that it can be killed, <see cref="Hooked"/>.</summary>
    protected abstract Task StartAgentAsync();

    /// <summary>Returns when the agent has ended.</summary>
    protected abstract Task AgentEndedAsync();

    /// <summary>The end of what the agent has printed.</summary>
    protected abstract string AgentLog();

    /// <summary>What the agent's environment says.</summary>
    protected static Dictionary<string, string> Settings(Uri bus, string state) => new()
    {
        ["Bus__Uri"] = bus.OriginalString,
        ["Worker__Host"] = HostName,
        ["Worker__StateFolder"] = state,
        ["Worker__StorageAnswerLimit"] = "00:00:10",
    };

    /// <param name="hook">The fault hook's path on the host.</param>
    protected Dictionary<string, string> Hooked(string hook) => new()
    {
        ["DOTNET_STARTUP_HOOKS"] = hook,
        ["STORAGE_KILL_AT"] = $"Storage.Worker/@{KillFile}",
    };

    /// <summary>What was built together with these tests.</summary>
    protected static string Built(string project)
    {
        // artifacts/bin/PROJECT/CONFIGURATION/
        var output = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        return Path.Combine(output.Parent!.Parent!.FullName, project, output.Name, $"{project}.dll");
    }

    protected async Task StartServersAsync()
    {
        broker = await LocalBroker.CreateAsync(folder.Path);
        await broker.StartAsync(CancellationToken.None);
        await broker.CreateVirtualHostAsync(HostName, CancellationToken.None);
        inventory = new LabInventory(Bus, told, new Dictionary<string, byte[]> { [SecretUsage] = Encoding.UTF8.GetBytes(Password) });
        await inventory.StartAsync();
    }

    protected async Task AnnouncedAsync()
    {
        try
        {
            foreach (var family in Families)
                await told.FirstAsync(entry => entry.Type == nameof(WorkerAnnounced) && entry.Resource == Resources.Worker(HostName, family), AnnounceLimit);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            throw new InvalidOperationException($"The agent does not announce itself: {AgentLog()}", e);
        }
    }

    protected async Task EndServersAsync()
    {
        if (inventory is not null)
            await inventory.DisposeAsync();
        if (broker is not null)
            await broker.DisposeAsync();
        told.Dispose();
        folder.Dispose();
    }

    private static OperationRun NewRun(PoolDefinition pool, ICommand command, Guid? id) => new(
        id ?? Guid.NewGuid(), command.GetType().Name, pool, JsonSerializer.SerializeToElement(command, command.GetType(), StorageJson.Options), 0, DateTimeOffset.UtcNow);

    private Task SendAsync(OperationRun run) => inventory.SendAsync(
        Queues.Worker(PoolTypes.Of(run.Pool!.Type).Family, HostName), new RunOperations([run]), TestContext.Current.CancellationToken);
}
