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

    public override Task<StorageEvent> RunAsync(
        PoolDefinition pool, ICommand command, Guid? id = null, PoolDefinition? source = null, VolumeDefinition? sourceVolume = null) =>
        worker.RunAsync(pool, command, id, source, sourceVolume: sourceVolume);

    public override Task DeliverAsync(Guid id, PoolDefinition pool, ICommand command) => worker.DeliverAsync(id, pool, command);

    public override Task CancelAsync(Guid id) => worker.CancelAsync(id);

    public override Task<StorageEvent> EndOfAsync(Guid id) => worker.EndOfAsync(id);

    public override string Shell(string script) => HostProgram.Run("sh", "-ec", script);

    public override ValueTask DisposeAsync() => worker.DisposeAsync();
}
