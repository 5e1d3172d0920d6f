using System.Text;
using System.Text.Json;
using Storage.Contracts;
using Storage.TestServers;
using Xunit;

namespace Storage.HostTests;

/// <summary>
/// The lab VM as a host of the fleet: the agent runs in it and works over a real RabbitMQ outside, which it reaches at the address that the VM has
/// for this machine's loopback. One for all tests of the assembly, started by the first that asks.
/// </summary>
internal sealed class LabHost : HostUnderTest
{
    public const string SecretUsage = "lab-share";
    public const string Password = "pass,word %$HOME'\"";
    private const string Name = "lab";
    private const string Outside = "10.0.2.2";
    private static readonly TimeSpan AnnounceLimit = TimeSpan.FromMinutes(4);
    private static readonly TimeSpan RunLimit = TimeSpan.FromMinutes(5);
    private static readonly Lazy<Task<LabHost>> Started = new(StartAsync);

    private readonly ServerFolder folder;
    private readonly Broker broker;
    private readonly LabInventory inventory;
    private readonly ToldEvents told;

    private LabHost(ServerFolder folder, Broker broker, LabInventory inventory, ToldEvents told, LabVm vm)
    {
        (this.folder, this.broker, this.inventory, this.told) = (folder, broker, inventory, told);
        Vm = vm;
    }

    public LabVm Vm { get; }

    public override IEnumerable<StorageEvent> Events => told.All;

    public static async Task<HostUnderTest> RunningAsync() => await Started.Value;

    public static async Task<LabVm> RunningVmAsync() => (await Started.Value).Vm;

    /// <summary>Ends it where it was started.</summary>
    public static async ValueTask EndAsync()
    {
        if (!Started.IsValueCreated || !Started.Value.IsCompletedSuccessfully)
            return;
        var lab = await Started.Value;
        lab.Vm.Dispose();
        await lab.inventory.DisposeAsync();
        await lab.broker.DisposeAsync();
        lab.told.Dispose();
        lab.folder.Dispose();
    }

    public override async Task<StorageEvent> RunAsync(PoolDefinition pool, ICommand command, PoolDefinition? source = null)
    {
        var run = new OperationRun(
            Guid.NewGuid(), command.GetType().Name, pool, JsonSerializer.SerializeToElement(command, command.GetType(), StorageJson.Options), 0, DateTimeOffset.UtcNow,
            SourcePool: source);
        await inventory.SendAsync(Queues.Worker(PoolFamily.File, Name), new RunOperations([run]), TestContext.Current.CancellationToken);
        return await told.EndOfAsync(run.OperationId).WaitAsync(RunLimit, TestContext.Current.CancellationToken);
    }

    public override string Shell(string script) => Vm.Run(script);

    /// <summary>Its image has all.</summary>
    public override void RequireTool(string name)
    {
    }

    public override void RequireRoot()
    {
    }

    public override void RequireFileSystem(string name) => Assert.True(CanMount(name), $"The lab's kernel cannot mount {name}.");

    /// <summary>It is there for the next test.</summary>
    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static async Task<LabHost> StartAsync()
    {
        Requires.Tool("ssh");
        if (LocalBroker.FindServer() is null)
            throw Requires.Missing("rabbitmq-server is not installed");
        var folder = new ServerFolder("lab-host-");
        var starting = LabVm.StartAsync(agent: true);
        Broker? broker = null;
        try
        {
            broker = await LocalBroker.CreateAsync(folder.Path);
            await broker.StartAsync(CancellationToken.None);
            await broker.CreateVirtualHostAsync(Name, CancellationToken.None);
            var told = new ToldEvents();
            var inventory = new LabInventory(
                broker.Address(Name), told, new Dictionary<string, byte[]> { [SecretUsage] = Encoding.UTF8.GetBytes(Password) });
            await inventory.StartAsync();
            var vm = await starting;
            StartAgent(vm, new UriBuilder(broker.Address(Name)) { Host = Outside }.Uri);
            var lab = new LabHost(folder, broker, inventory, told, vm);
            await lab.AnnouncedAsync();
            return lab;
        }
        catch
        {
            await starting.ContinueWith(vm => vm.Result.Dispose(), TaskContinuationOptions.OnlyOnRanToCompletion).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (broker is not null)
                await broker.DisposeAsync();
            folder.Dispose();
            throw;
        }
    }

    private async Task AnnouncedAsync()
    {
        try
        {
            await told.FirstAsync(entry => entry.Type == nameof(WorkerAnnounced), AnnounceLimit);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            throw new InvalidOperationException($"The agent does not announce itself: {Vm.Run("tail -c 4000 /var/log/agent.log")}", e);
        }
    }

    private static void StartAgent(LabVm vm, Uri bus) => vm.Run($"""
        mkdir -p /opt/agent /var/log
        mount -o ro /dev/disk/by-id/virtio-agent /opt/agent
        cd /
        Bus__Uri={Quoted(bus.OriginalString)} Worker__Host={Name} Worker__StateFolder=/var/lib/storage Worker__StorageAnswerLimit=00:00:10 \
          setsid /opt/agent/Storage.Agent >/var/log/agent.log 2>&1 </dev/null &
        """);
}
