using System.Collections.Concurrent;
using System.Net;

namespace Storage.IntegrationTests;

/// <summary>
/// A service of this repository as a process of its own: the dll that the build made, configured by its environment, on a loopback
/// port that it keeps over restarts.
/// </summary>
public sealed class ServiceProcess : IAsyncDisposable
{
    private static readonly ConcurrentDictionary<ServiceProcess, bool> Known = new();
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(30);

    private readonly ProgramStart _start;
    private readonly HttpClient _http;
    private readonly SemaphoreSlim _launching = new(1, 1);
    private GuardedProcess? _process;

    /// <param name="project">The service's project, such as <c>Storage.Api</c>.</param>
    /// <param name="name">Tells it apart from others of the same project.</param>
    /// <param name="folder">For its log.</param>
    /// <param name="environment">Its configuration, in the form <c>Section__Key</c>.</param>
    /// <param name="launcher">A command that ends by becoming the one that it is given.</param>
    public ServiceProcess(
        string project, string name, string folder, IReadOnlyDictionary<string, string> environment, params IReadOnlyList<string> launcher)
    {
        Name = name;
        Address = new Uri($"http://127.0.0.1:{LoopbackPorts.Take()}");
        LogFile = Path.Combine(folder, name + ".log");
        var program = BuiltServices.Find(project);
        string[] command = [.. launcher, "dotnet", program];
        _start = new ProgramStart(command[0], command[1..], Path.GetDirectoryName(program)!, LogFile)
        {
            Environment = new Dictionary<string, string>(environment)
            {
                ["Urls"] = Address.OriginalString,
                ["DOTNET_ENVIRONMENT"] = "Production",
                ["ASPNETCORE_ENVIRONMENT"] = "Production",
            },
        };
        _http = new HttpClient { BaseAddress = Address, Timeout = TimeSpan.FromSeconds(5) };
        Known[this] = true;
    }

    /// <summary>All that are in use.</summary>
    public static IEnumerable<ServiceProcess> All => Known.Keys.OrderBy(process => process.Name, StringComparer.Ordinal);

    public string Name { get; }

    public Uri Address { get; }

    /// <summary>
    /// It is started again when it ends with this code, as a service manager does for those that ask for it (<c>EX_TEMPFAIL</c>);
    /// how often that was is in <see cref="Restarts"/>.
    /// </summary>
    public int? RestartOn { get; init; }

    public int Restarts { get; private set; }

    /// <summary>What it printed, over all its starts.</summary>
    public string LogFile { get; }

    public bool Running => _process is { HasExited: false };

    /// <summary>The process id; also after its end.</summary>
    public int Id => _process?.Id ?? throw new InvalidOperationException($"{Name} was not started.");

    /// <summary>Starts it and waits until it is ready; after a kill or stop, on the same port with the same folders.</summary>
    public async Task StartAsync()
    {
        await LaunchAsync();
        await ReadyAsync();
    }

    /// <summary>Starts it and waits until it answers: ready or not, as one that stands by or whose broker is away.</summary>
    public async Task StartWithoutReadinessAsync()
    {
        await LaunchAsync();
        await HealthAsync("live");
    }

    public Task ReadyAsync() => HealthAsync("ready");

    public Task<bool> IsReadyAsync(CancellationToken cancellationToken) => AnswersOkAsync("/health/ready", cancellationToken);

    /// <summary>Runs one of the service's commands to its end, beside the process that serves.</summary>
    public Task RunAsync(params string[] arguments) =>
        GuardedProcess.RunAsync(_start with { Arguments = [.. _start.Arguments, .. arguments] }, StopLimit);

    /// <summary>SIGKILL, as the kernel does when memory is short.</summary>
    public Task KillAsync() => _process!.KillAsync();

    /// <summary>SIGTERM, as a service manager does; fails where the service does not end by itself with code 0.</summary>
    public async Task StopAsync()
    {
        var code = await _process!.StopAsync("TERM", StopLimit);
        if (code != 0)
            throw new InvalidOperationException($"{Name} ended with {code} when it was asked to stop:\n{LogTail.Read(LogFile)}");
    }

    /// <summary>Waits until it has ended by itself.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> EndedAsync()
    {
        await Eventually.HoldsAsync($"{Name} to end", _ => Task.FromResult(!Running));
        return _process!.ExitCode;
    }

    /// <summary>Any signal by its name, such as STOP and CONT: a process that hangs.</summary>
    public Task SignalAsync(string signal) => _process!.SignalAsync(signal);

    /// <summary>Waits for a text in its log.</summary>
    public Task LoggedAsync(string text, TimeSpan? within = null) =>
        Eventually.HoldsAsync($"'{text}' in the log of {Name}", async ct => (await File.ReadAllTextAsync(LogFile, ct)).Contains(text, StringComparison.Ordinal), within);

    public async ValueTask DisposeAsync()
    {
        Known.TryRemove(this, out _);
        _http.Dispose();
        if (_process is not null)
            await _process.DisposeAsync();
    }

    /// <summary>Starts it and waits for nothing but the process.</summary>
    /// <param name="environment">More for this start alone.</param>
    public async Task LaunchAsync(IReadOnlyDictionary<string, string>? environment = null)
    {
        await _launching.WaitAsync();
        try
        {
            if (_process is not null)
            {
                if (!_process.HasExited)
                    throw new InvalidOperationException($"{Name} runs already.");
                await _process.DisposeAsync();
            }
            var start = environment is null ? _start : _start with { Environment = new Dictionary<string, string>([.. _start.Environment, .. environment]) };
            _process = await GuardedProcess.StartAsync(start);
        }
        finally
        {
            _launching.Release();
        }
        if (RestartOn is { } code)
            _ = RestartAsync(_process, code);
    }

    private async Task RestartAsync(GuardedProcess process, int code)
    {
        while (!process.HasExited)
            await Task.Delay(200);
        if (process.ExitCode != code || process != _process || !Known.ContainsKey(this))
            return;
        Restarts++;
        await LaunchAsync();
    }

    private async Task HealthAsync(string check)
    {
        var answer = "nothing";
        try
        {
            await Eventually.HoldsAsync(
                $"{Name} to be {check}",
                async ct =>
                {
                    using var said = await _http.GetAsync($"/health/{check}", ct);
                    answer = await said.Content.ReadAsStringAsync(ct);
                    return said.StatusCode == HttpStatusCode.OK;
                },
                giveUp: () => Running ? null : $"it ended with {_process!.ExitCode}:\n{LogTail.Read(LogFile)}");
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"{e.Message} Last it said {answer}; its log:\n{LogTail.Read(LogFile)}", e);
        }
    }

    private async Task<bool> AnswersOkAsync(string path, CancellationToken cancellationToken)
    {
        using var answer = await _http.GetAsync(path, cancellationToken);
        return answer.StatusCode == HttpStatusCode.OK;
    }
}
