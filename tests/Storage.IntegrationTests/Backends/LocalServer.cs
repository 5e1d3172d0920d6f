namespace Storage.IntegrationTests;

/// <summary>A server as a process of this machine.</summary>
/// <param name="stopSignal">What makes it stop cleanly, at once.</param>
/// <param name="prepare">What must be done before the first start.</param>
public sealed class LocalServer(ProgramStart start, string stopSignal, Func<Task>? prepare = null) : IServer
{
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(60);

    private GuardedProcess? _process;
    private bool _prepared = prepare is null;

    public string? Failure =>
        _process is { HasExited: true } ? $"it ended with {_process.ExitCode}:\n{LogTail.Read(start.LogFile)}" : null;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (!_prepared)
        {
            await prepare!();
            _prepared = true;
        }
        _process = await GuardedProcess.StartAsync(start);
    }

    public async Task StopAsync()
    {
        await _process!.StopAsync(stopSignal, StopLimit);
        await ForgetAsync();
    }

    public async Task KillAsync()
    {
        await _process!.KillAsync();
        await ForgetAsync();
    }

    public async ValueTask DisposeAsync() => await ForgetAsync();

    private async Task ForgetAsync()
    {
        if (_process is { } process)
        {
            _process = null;
            await process.DisposeAsync();
        }
    }
}
