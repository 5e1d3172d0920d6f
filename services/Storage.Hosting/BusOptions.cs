namespace Storage.Hosting;

/// <summary>Where the messages go. Section <c>Bus</c>.</summary>
public sealed class BusOptions
{
    public const string Section = "Bus";

    /// <summary><c>amqp://user:password@host:port/vhost</c>, or <c>memory</c> for everything in one process.</summary>
    public string Uri { get; set; } = "amqp://guest:guest@127.0.0.1:5672/";

    public bool InMemory => string.Equals(Uri, "memory", StringComparison.OrdinalIgnoreCase);
}
