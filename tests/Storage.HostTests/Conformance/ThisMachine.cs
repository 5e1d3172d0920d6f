using Storage.Contracts;

namespace Storage.HostTests;

/// <summary>The machine of the tests, with a worker within their own process.</summary>
internal sealed class ThisMachine : HostUnderTest
{
    private readonly WorkerOnHost worker = WorkerOnHost.OfFileFamily();

    public override IEnumerable<StorageEvent> Events => worker.Events;

    public static async Task<HostUnderTest> StartAsync()
    {
        Requires.Tool("qemu-img");
        var machine = new ThisMachine();
        await machine.worker.StartAsync();
        return machine;
    }

    public override Task<StorageEvent> RunAsync(PoolDefinition pool, ICommand command, PoolDefinition? source = null) =>
        worker.RunAsync(pool, command, source: source);

    public override string Shell(string script) => HostProgram.Run("sh", "-ec", script);

    public override void RequireTool(string name) => Requires.Tool(name);

    public override void RequireRoot() => Requires.Root();

    public override ValueTask DisposeAsync() => worker.DisposeAsync();
}
