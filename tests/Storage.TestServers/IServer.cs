namespace Storage.TestServers;

/// <summary>A server that tests may take down and bring up again: on the same port, with the same data.</summary>
public interface IServer : IAsyncDisposable
{
    /// <summary>Starts it. Whether it already answers is not waited for.</summary>
    Task StartAsync(CancellationToken cancellationToken);

    /// <summary>Stops it as an administrator would.</summary>
    Task StopAsync();

    /// <summary>SIGKILL: it gets no chance to tidy up.</summary>
    Task KillAsync();

    /// <summary>Why it will never answer, with the end of its log; null while it runs.</summary>
    string? Failure { get; }
}
