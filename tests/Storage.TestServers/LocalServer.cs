namespace Storage.TestServers;

/// <summary>A server as a process of this machine.</summary>
/// <param name="stopSignal">What makes it stop cleanly, at once.</param>
/// <param name="prepare">What must be done before the first start.</param>
/// <param name="home">The working directory of its processes, where they do not end with the one that is killed; it is not started while there are any.</param>
public sealed class LocalServer(ProgramStart start, string stopSignal, Func<Task>? prepare = null, string? home = null) : IServer
{
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(180);

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
        if (home is not null)
            await Eventually.HoldsAsync($"the processes in {home} to end", _ => Task.FromResult(!IsHome()));
    }

    public async ValueTask DisposeAsync() => await ForgetAsync();

    private bool IsHome() => Directory.EnumerateDirectories("/proc").Any(process =>
    {
        try
        {
            return new FileInfo($"{process}/cwd").LinkTarget == home;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    });

    private async Task ForgetAsync()
    {
        if (_process is { } process)
        {
            _process = null;
            await process.DisposeAsync();
        }
    }
}
