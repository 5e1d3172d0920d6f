using Storage.Contracts;
using Xunit;

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

    /// <summary>Also in CI: no package brings it, and the lab's kernel has it.</summary>
    public override void RequireFileSystem(string name)
    {
        if (!CanMount(name))
            Assert.Skip($"this kernel cannot mount {name}");
    }

    public override ValueTask DisposeAsync() => worker.DisposeAsync();
}
