using Storage.Contracts;
using Xunit;

namespace Storage.Tests;

/// <summary>The shape of messages, and the names that they have on the wire.</summary>
public sealed class MessageShapeTests
{
    private static readonly Type[] Others =
    [
        typeof(SubmitCommand), typeof(CommandAccepted), typeof(CommandRejected), typeof(StorageEvent),
        typeof(RunOperations), typeof(CancelRun), typeof(ExpireRun), typeof(HostReport), typeof(ReportTaken), typeof(HoldRun), typeof(RunHold), typeof(DeadLetter),
        typeof(ResolveSecret), typeof(SecretResolved),
    ];

    public static TheoryData<Type> Messages => [.. CommandTypes.All.Select(command => command.Type), .. EventTypes.All, .. Others];

    [Theory]
    [MemberData(nameof(Messages))]
    public void A_message_is_a_sealed_positional_record_without_a_base(Type message)
    {
        Assert.True(message.IsSealed, "not sealed");
        Assert.Equal(typeof(object), message.BaseType);
        Assert.NotNull(message.GetMethod("<Clone>$"));
        var constructor = Assert.Single(message.GetConstructors());
        var parameters = constructor.GetParameters().Select(parameter => parameter.Name!).Order();
        Assert.Equal(parameters, message.GetProperties().Select(property => property.Name).Order());
    }

    [Fact]
    public void Every_command_of_the_library_is_in_the_table() => Assert.Equal(
        typeof(ICommand).Assembly.GetExportedTypes().Where(type => type is { IsClass: true } && type.IsAssignableTo(typeof(ICommand)))
            .Select(type => type.Name).Order(),
        CommandTypes.All.Select(command => command.Name).Order());

    [Fact]
    public void A_commands_name_is_that_of_its_record() =>
        Assert.All(CommandTypes.All, command => Assert.Equal(command.Type.Name, command.Name));

    /// <summary>A name that changes here is another message to everybody else.</summary>
    [Fact]
    public void Names_on_the_wire_stay() => Assert.Equal(
        """
        urn:message:Storage.Contracts:BuildPool
        urn:message:Storage.Contracts:CancelOperation
        urn:message:Storage.Contracts:CancelRun
        urn:message:Storage.Contracts:CloneVolume
        urn:message:Storage.Contracts:CommandAccepted
        urn:message:Storage.Contracts:CommandRejected
        urn:message:Storage.Contracts:CreateVolume
        urn:message:Storage.Contracts:CreateVolumes
        urn:message:Storage.Contracts:DeadLetter
        urn:message:Storage.Contracts:DefinePool
        urn:message:Storage.Contracts:DeletePool
        urn:message:Storage.Contracts:DeleteVolume
        urn:message:Storage.Contracts:DeleteVolumes
        urn:message:Storage.Contracts:ExpireRun
        urn:message:Storage.Contracts:FindPoolSources
        urn:message:Storage.Contracts:HoldRun
        urn:message:Storage.Contracts:HostReport
        urn:message:Storage.Contracts:MergeVolume
        urn:message:Storage.Contracts:RefreshPool
        urn:message:Storage.Contracts:RefreshVolume
        urn:message:Storage.Contracts:ReportTaken
        urn:message:Storage.Contracts:ResizeVolume
        urn:message:Storage.Contracts:ResolveSecret
        urn:message:Storage.Contracts:RunHold
        urn:message:Storage.Contracts:RunOperations
        urn:message:Storage.Contracts:SecretResolved
        urn:message:Storage.Contracts:SetPoolAutostart
        urn:message:Storage.Contracts:StartPool
        urn:message:Storage.Contracts:StopPool
        urn:message:Storage.Contracts:StorageEvent
        urn:message:Storage.Contracts:SubmitCommand
        urn:message:Storage.Contracts:UndefinePool
        urn:message:Storage.Contracts:WipeVolume
        """,
        string.Join('\n', CommandTypes.All.Select(command => command.Type).Concat(Others).Select(AsyncApiDocument.Urn).Order(StringComparer.Ordinal)));

    [Fact]
    public void Names_of_events_stay() => Assert.Equal(
        """
        DeadLettered
        OperationAccepted
        OperationCancelled
        OperationExpired
        OperationFailed
        OperationProgressed
        OperationSucceeded
        PoolAutostartSet
        PoolBuilt
        PoolDefined
        PoolDeleted
        PoolRefreshWanted
        PoolRefreshed
        PoolSourcesFound
        PoolSpaceChanged
        PoolStarted
        PoolStateChanged
        PoolStopped
        PoolUndefined
        ThinPoolFilled
        VolumeAppeared
        VolumeChanged
        VolumeCloned
        VolumeCreated
        VolumeDeleted
        VolumeMerged
        VolumeResized
        VolumeVanished
        VolumeWiped
        VolumesCompared
        VolumesObserved
        VolumesSeen
        WorkerAnnounced
        WorkerLost
        """,
        string.Join('\n', EventTypes.All.Select(type => type.Name).Order(StringComparer.Ordinal)));

    [Fact]
    public void Names_of_queues_stay() => Assert.Equal(
        ["storage.commands", "storage.commands.json", "storage.inventory", "storage.events", "storage.dead-letters", "storage.secrets", "storage.file.host-a", "storage.network"],
        [Queues.Commands, Queues.JsonCommands, Queues.Inventory, Queues.Events, Queues.DeadLetters, Queues.Secrets, Queues.Worker(PoolFamily.File, "host-a"), Queues.Worker(PoolFamily.Network)]);
}
