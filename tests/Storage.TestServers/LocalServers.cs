namespace Storage.TestServers;

/// <summary>Private servers from the programs that are installed here, in a temporary folder, reached only from this machine.</summary>
public static class LocalServers
{
    /// <summary>What is missing for them; empty when they can be used.</summary>
    public static IReadOnlyList<string> Missing() =>
    [
        .. LocalBroker.FindServer() is null ? ["rabbitmq-server"] : Array.Empty<string>(),
        .. LocalDatabase.FindPrograms() is null ? ["postgresql"] : Array.Empty<string>(),
    ];

    public static async Task<(Broker Broker, Database Database)> CreateAsync(string folder, bool durable, TimeSpan? consumerTimeout = null) =>
        (await LocalBroker.CreateAsync(Directory.CreateDirectory(Path.Combine(folder, "rabbitmq")).FullName, consumerTimeout),
         LocalDatabase.Create(Directory.CreateDirectory(Path.Combine(folder, "postgresql")).FullName, durable));
}
