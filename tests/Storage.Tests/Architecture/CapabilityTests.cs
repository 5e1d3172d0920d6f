using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Storage.Contracts;
using Storage.Worker;
using Storage.Worker.File;
using Xunit;

namespace Storage.Tests.Architecture;

public sealed class CapabilityTests
{
    /// <summary>What the table promises of a type and its backend cannot do yet; workers announce it as not available.</summary>
    private static readonly Dictionary<PoolType, PoolOperations> NotYet = new()
    {
        [PoolType.Dir] = PoolOperations.CloneVolume | PoolOperations.ResizeVolume | PoolOperations.WipeVolume,
    };

    [Fact]
    public void A_backend_does_what_the_table_says_of_its_type()
    {
        var services = new ServiceCollection().AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance).AddLogging().AddFileFamily();
        using var provider = services.BuildServiceProvider();
        foreach (var backend in provider.GetServices<IPoolBackend>())
        {
            var row = PoolTypes.Of(backend.Type);
            Assert.Equal(PoolFamily.File, row.Family);
            var promised = Enum.GetValues<PoolOperations>()
                .Where(operation => operation != PoolOperations.None && row.Operations.HasFlag(operation) && !NotYet[row.Type].HasFlag(operation));
            Assert.Equal(promised.Select(operation => operation.ToString()).Order(), BackendOperations.Of(backend).Order());
        }
    }

    [Fact]
    public void The_table_has_a_row_for_every_type_in_libvirts_order()
    {
        Assert.Equal(Enum.GetValues<PoolType>(), PoolTypes.All.Select(row => row.Type));
        Assert.Equal(
            ["dir", "fs", "netfs", "logical", "disk", "iscsi", "iscsi-direct", "scsi", "mpath", "rbd", "sheepdog", "gluster", "zfs", "vstorage"],
            PoolTypes.All.Select(row => row.Name));
        Assert.All(PoolTypes.All, row => Assert.Equal($"\"{row.Name}\"", StorageJson.ToElement(row.Type).GetRawText()));
    }
}
