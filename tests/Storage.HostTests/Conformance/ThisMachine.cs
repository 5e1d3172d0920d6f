using System.Collections.Concurrent;
using Storage.Contracts;

namespace Storage.HostTests;

/// <summary>The machine of the tests, with its workers within their own process.</summary>
internal sealed class ThisMachine : HostUnderTest
{
    private readonly Dictionary<PoolFamily, WorkerOnHost> workers = new()
    {
        [PoolFamily.File] = WorkerOnHost.OfFileFamily(),
        [PoolFamily.Block] = WorkerOnHost.OfBlockFamily(),
    };

    private readonly ConcurrentDictionary<Guid, WorkerOnHost> asked = [];

    public override IEnumerable<StorageEvent> Events => workers.Values.SelectMany(worker => worker.Events);

    public static async Task<HostUnderTest> StartAsync()
    {
        Requires.Tool("qemu-img");
        var machine = new ThisMachine();
        foreach (var worker in machine.workers.Values)
            await worker.StartAsync();
        return machine;
    }

    public override Task<StorageEvent> RunAsync(
        PoolDefinition pool, ICommand command, Guid? id = null, PoolDefinition? source = null, VolumeDefinition? sourceVolume = null) =>
        WorkerOf(pool).RunAsync(pool, command, id, source, sourceVolume: sourceVolume);

    public override Task DeliverAsync(Guid id, PoolDefinition pool, ICommand command) => (asked[id] = WorkerOf(pool)).DeliverAsync(id, pool, command);

    public override Task CancelAsync(Guid id) => asked[id].CancelAsync(id);

    public override Task<StorageEvent> EndOfAsync(Guid id) => asked[id].EndOfAsync(id);

    public override string Shell(string script) => HostProgram.Run("sh", "-ec", script);

    public override async ValueTask DisposeAsync()
    {
        foreach (var worker in workers.Values)
            await worker.DisposeAsync();
    }

    private WorkerOnHost WorkerOf(PoolDefinition pool) => workers[PoolTypes.Of(pool.Type).Family];
}
