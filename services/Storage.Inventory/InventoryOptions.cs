namespace Storage.Inventory;

/// <summary>Section <c>Inventory</c>.</summary>
public sealed class InventoryOptions
{
    public const string Section = "Inventory";

    /// <summary>How often the timers look: due starts, silent workers, unanswered work.</summary>
    public TimeSpan SweepInterval { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>An active pool that nobody uses is looked at again after this; each a bit earlier, so that they do not all come at once.</summary>
    public TimeSpan RefreshEvery { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>The same for a pool that its worker watches, and so tells of changes by itself.</summary>
    public TimeSpan RefreshWatchedEvery { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Whether logged events are passed on to the bus.</summary>
    public bool PublishEvents { get; set; } = true;
}
