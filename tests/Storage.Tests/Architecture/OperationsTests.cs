using Microsoft.Extensions.DependencyInjection;
using Storage.Contracts;
using Storage.Worker;
using Storage.Worker.Block;
using Storage.Worker.File;
using Xunit;

namespace Storage.Tests;

/// <summary>What the tables promise and what the workers do are the same.</summary>
public sealed class OperationsTests
{
    /// <summary>Commands that no worker runs yet; it refuses them as unsupported.</summary>
    private static readonly string[] NotYetRun = [];

    /// <summary>Operations that a type's row has and its backend does not yet.</summary>
    private static readonly Dictionary<PoolType, PoolOperations> NotYet = new()
    {
    };

    private static readonly IReadOnlyList<IPoolBackend> Backends =
        [.. new ServiceCollection().AddLogging().AddFileFamily().AddBlockFamily().BuildServiceProvider().GetServices<IPoolBackend>()];

    [Fact]
    public void Every_command_that_runs_on_a_host_has_a_handler_or_is_refused()
    {
        var run = CommandTypes.All.Where(command => command.RunsOnHost).Select(command => command.Name).ToList();
        Assert.Equal(NotYetRun.Order(), run.Except(CommandHandlers.All.Keys).Order());
        Assert.All(NotYetRun, command => Assert.Equal(
            ErrorCodes.Unsupported, Assert.Throws<StorageException>(() => CommandHandlers.Require(command)).Error.Code));
        // A transient pool is started where it is defined.
        Assert.Equal([nameof(DefinePool)], CommandHandlers.All.Keys.Except(run));
    }

    [Fact]
    public void A_backends_roles_are_the_operations_of_its_type()
    {
        Assert.NotEmpty(Backends);
        Assert.All(Backends, backend =>
        {
            var can = BackendOperations.Of(backend).Aggregate(PoolOperations.None, (all, name) => all | Enum.Parse<PoolOperations>(name));
            Assert.Equal(PoolTypes.Of(backend.Type).Operations, can | NotYet.GetValueOrDefault(backend.Type));
            Assert.Equal(PoolOperations.None, can & NotYet.GetValueOrDefault(backend.Type));
        });
    }

    [Fact]
    public void The_table_has_a_row_per_type_in_its_place() => Assert.Equal(Enum.GetValues<PoolType>(), PoolTypes.All.Select(row => row.Type));
}
