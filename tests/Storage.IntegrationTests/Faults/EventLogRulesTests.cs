using Storage.Contracts;
using Xunit;

namespace Storage.IntegrationTests;

/// <summary>What the checker says of event logs that are not as they must be.</summary>
public sealed class EventLogRulesTests
{
    private static readonly Guid Pool = Guid.NewGuid();
    private static readonly Guid First = Guid.NewGuid();
    private static readonly Guid Second = Guid.NewGuid();

    private readonly List<StorageEvent> events = [];
    private readonly Dictionary<Guid, OperationSeen> operations = [];
    private readonly Dictionary<Guid, Promise> accepted = [];

    [Fact]
    public void A_log_in_which_all_is_well_is_well()
    {
        Accept(First, nameof(CreateVolume), "succeeded");
        Log(new VolumeCreated(Pool, new VolumeDefinition { Name = "v" }), Resources.Volume(Pool, "v"), First);
        Log(new OperationSucceeded(First), Resources.Operation(First), First);
        Assert.Empty(All());
    }

    [Fact]
    public void Two_ends_of_an_operation_are_named()
    {
        Accept(First, nameof(RefreshPool), "succeeded");
        Log(new OperationSucceeded(First), Resources.Operation(First), First);
        Log(new OperationCancelled(First), Resources.Operation(First), First);
        Assert.Contains($"Operation {operations[First]} has 2 ends.", All());
    }

    [Fact]
    public void A_missing_end_is_named()
    {
        Accept(First, nameof(RefreshPool), "succeeded");
        Assert.Contains($"Operation {operations[First]} has 0 ends.", All());
    }

    [Fact]
    public void An_operation_that_was_promised_and_is_not_known_is_named()
    {
        accepted[First] = new Promise("POST /v1/pools/p/refresh", 1);
        Assert.Contains($"POST /v1/pools/p/refresh was accepted as {First}, which nobody knows.", All());
    }

    [Fact]
    public void A_published_command_that_has_become_nothing_is_named()
    {
        Accept(Second, nameof(RefreshPool), "succeeded");
        var letter = Guid.NewGuid();
        Assert.Equal([$"The command {First} was published and confirmed, and is neither an operation nor a dead letter."],
            Rules().Published([First, Second, letter], new HashSet<string> { letter.ToString() }));
    }

    [Fact]
    public void Revisions_that_fall_are_named()
    {
        Log(new PoolBuilt(Pool), Resources.Pool(Pool), null, revision: 7);
        Log(new PoolStopped(Pool), Resources.Pool(Pool), null, revision: 6);
        Assert.Contains($"The revisions of pools/{Pool} do not rise: 7 6", All());
    }

    [Fact]
    public void A_gap_in_the_log_and_an_event_that_is_there_twice_are_named()
    {
        Log(new PoolBuilt(Pool), Resources.Pool(Pool), null);
        events.Add(events[0] with { Sequence = 3, Revision = 9 });
        Assert.Superset(new HashSet<string> { "The event log has 3 at place 2.", "An event is logged twice." }, All().ToHashSet());
    }

    [Fact]
    public void An_operation_that_overtakes_another_on_its_volume_is_named()
    {
        Accept(First, nameof(CreateVolume), "failed");
        Accept(Second, nameof(DeleteVolume), "succeeded");
        Log(new OperationSucceeded(Second), Resources.Operation(Second), Second);
        Log(new OperationFailed(First, new StorageError(ErrorCodes.Internal, "no")), Resources.Operation(First), First);
        Assert.Contains($"Operation {operations[Second]} ended before {operations[First]}, which was accepted before it.", All());
    }

    [Fact]
    public void A_volume_that_is_found_where_only_commands_make_them_is_named()
    {
        Log(new VolumeAppeared(Pool, new VolumeDefinition { Name = "v" }), Resources.Volume(Pool, "v"), null, cause: EventCause.External);
        Assert.Contains($"Nobody else is at work there, and VolumeAppeared #1 of pools/{Pool}/volumes/v is said.", All());
    }

    [Theory]
    [InlineData("succeeded", 0)]
    [InlineData("failed", 1)]
    [InlineData("expired", 1)]
    public void An_operation_that_made_otherwise_than_its_end_says_is_named(string state, int made)
    {
        Accept(First, nameof(CreateVolume), state);
        if (made > 0)
            Log(new VolumeCreated(Pool, new VolumeDefinition { Name = "v" }), Resources.Volume(Pool, "v"), First);
        Assert.Contains($"Operation {operations[First]} of 1 volumes has made {made}.", All());
    }

    [Fact]
    public void A_volume_that_is_made_twice_or_removed_twice_is_named()
    {
        Log(new VolumeCreated(Pool, new VolumeDefinition { Name = "v" }), Resources.Volume(Pool, "v"), null);
        Log(new VolumeCreated(Pool, new VolumeDefinition { Name = "v" }), Resources.Volume(Pool, "v"), null);
        Log(new VolumeDeleted(Pool, "v"), Resources.Volume(Pool, "v"), null);
        Log(new VolumeDeleted(Pool, "v"), Resources.Volume(Pool, "v"), null);
        Assert.Equal(
            [$"VolumeCreated #2 of pools/{Pool}/volumes/v, which is there already.", $"VolumeDeleted #4 of pools/{Pool}/volumes/v, which is not there."],
            Rules().Volumes());
    }

    [Fact]
    public void A_secret_that_leaked_is_named_by_where_it_stands()
    {
        var search = new SecretSearch(["correct horse"]);
        Assert.Empty(search.In("the log", "nothing to see"));
        Assert.Equal(["A secret stands in the log."], search.In("the log", "a correct horse runs"));
        Assert.Equal(["A secret stands in the log."], search.In("the log", Convert.ToBase64String("correct horse"u8)));
    }

    private EventLogRules Rules() => new(events, operations);

    private List<string> All()
    {
        var rules = Rules();
        return [.. rules.Order(), .. rules.Ends(accepted, operations.Keys), .. rules.Turns(), .. rules.Volumes(), .. rules.Quiet(new HashSet<Guid> { Pool }, accepted)];
    }

    private void Accept(Guid id, string command, string state)
    {
        var resource = command == nameof(RefreshPool) ? Resources.Pool(Pool) : Resources.Volume(Pool, "v");
        operations[id] = new OperationSeen(id, command, state, resource);
        accepted[id] = new Promise(command, 1);
        Log(new OperationAccepted(id, command, resource), Resources.Operation(id), id);
    }

    private void Log<T>(T data, string resource, Guid? operation, long? revision = null, EventCause cause = EventCause.Command)
        where T : class => events.Add(new StorageEvent(
            Guid.NewGuid(), typeof(T).Name, resource, revision ?? events.Count + 1, DateTimeOffset.UnixEpoch, null, cause, operation,
            StorageJson.ToElement(data), events.Count + 1));
}
