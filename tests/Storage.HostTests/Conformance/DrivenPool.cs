using Storage.Contracts;
using Xunit;

namespace Storage.HostTests;

/// <summary>A pool and the host that has it, driven as the host's worker is driven.</summary>
internal sealed class DrivenPool(HostUnderTest host, PoolUnderTest pool)
{
    public async Task<IReadOnlyList<VolumeDefinition>> RefreshAsync() =>
        [.. Told<VolumesObserved>(await DoneAsync(new RefreshPool(null, pool.Definition.Name!))).SelectMany(told => told.Volumes)];

    /// <summary>The terminal events of an operation; one that is told again is the same.</summary>
    public IEnumerable<Guid> Outcomes(Guid id) => host.Events
        .Where(told => told.CommandId == id && told.Type is nameof(OperationSucceeded) or nameof(OperationFailed) or nameof(OperationCancelled))
        .Select(told => told.EventId)
        .Distinct();

    public IEnumerable<T> Told<T>(StorageEvent end) => host.Events
        .Where(told => told.CommandId == end.CommandId && told.Type == typeof(T).Name)
        // What was told and not known to be taken is told again.
        .DistinctBy(told => told.EventId)
        .Select(told => told.Read<T>());

    /// <param name="of">Another pool that it is done to.</param>
    /// <param name="source">The other pool that it reads from.</param>
    /// <param name="sourceVolume">The volume of that pool, as it was last seen.</param>
    public async Task<StorageEvent> DoneAsync(ICommand command, PoolUnderTest? of = null, PoolUnderTest? source = null, VolumeDefinition? sourceVolume = null)
    {
        var end = await host.RunAsync((of ?? pool).Definition, command, source: source?.Definition, sourceVolume: sourceVolume);
        Assert.True(end.Type == nameof(OperationSucceeded), $"{command}: {end.Data}");
        return end;
    }

    public async Task<StorageError> ErrorAsync(ICommand command)
    {
        var end = await host.RunAsync(pool.Definition, command);
        Assert.True(end.Type == nameof(OperationFailed), $"{command}: {end.Type}");
        return end.Read<OperationFailed>().Error;
    }

    public async Task<string> FailedAsync(ICommand command) => (await ErrorAsync(command)).Code;
}
