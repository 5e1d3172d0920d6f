namespace Storage.Hosting;

/// <summary>Where the messages go. Section <c>Bus</c>.</summary>
public sealed class BusOptions
{
    public const string Section = "Bus";

    /// <summary><c>amqp://user:password@host:port/vhost</c>, or <c>memory</c> for everything in one process.</summary>
    public string Uri { get; set; } = "amqp://guest:guest@127.0.0.1:5672/";

    /// <summary>How often the broker is asked whether it knows this process's consumers.</summary>
    public TimeSpan WatchInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>A process without one of its consumers for so long ends with code 75, to be started again. A reconnect takes up to a minute.</summary>
    public TimeSpan DeafAfter { get; set; } = TimeSpan.FromSeconds(90);

    public bool InMemory => string.Equals(Uri, "memory", StringComparison.OrdinalIgnoreCase);
}
