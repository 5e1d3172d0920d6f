using System.Diagnostics;
using System.Globalization;

namespace Storage.TestServers;

/// <param name="LogFile">Takes what the program prints; appended to.</param>
public sealed record ProgramStart(string Program, IReadOnlyList<string> Arguments, string WorkingDirectory, string LogFile)
{
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();
}

/// <summary>
/// A program that does not outlive the tests, however they end: a small shell between the two ends the program and its process
/// group as soon as the test process has closed its pipe, which the kernel does also after SIGKILL.
/// </summary>
public sealed class GuardedProcess : IAsyncDisposable
{
    // First argument the log, then the program. Prints the program's pid, then takes one signal name per line for it.
    private const string Guard = """
        exec 3<&0
        log=$1
        shift
        setsid "$@" </dev/null >>"$log" 2>&1 3<&- &
        pid=$!
        echo "$pid"
        {
          while read -r signal <&3; do kill -s "$signal" "$pid"; done
          kill -s KILL -- "-$pid" || kill -s KILL "$pid"
        } >/dev/null 2>&1 &
        listener=$!
        exec 3<&- >/dev/null 2>&1
        wait "$pid"
        code=$?
        kill -s KILL -- "-$pid"
        kill "$listener"
        exit "$code"
        """;

    private readonly Process _guard;

    private GuardedProcess(Process guard, int id)
    {
        _guard = guard;
        Id = id;
    }

    /// <summary>The program's process id.</summary>
    public int Id { get; }

    public bool HasExited => _guard.HasExited;

    /// <summary>The exit code, or 128 + the signal that ended it.</summary>
    public int ExitCode => _guard.ExitCode;

    public static async Task<GuardedProcess> StartAsync(ProgramStart start)
    {
        // A session of its own, so that Ctrl+C in the terminal ends the tests and leaves it to the guard to end the program.
        var info = new ProcessStartInfo("setsid", ["sh", "-c", Guard, "guard", start.LogFile, start.Program, .. start.Arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            WorkingDirectory = start.WorkingDirectory,
        };
        foreach (var (name, value) in start.Environment)
            info.Environment[name] = value;
        var guard = Process.Start(info)!;
        guard.StandardInput.AutoFlush = true;
        var pid = await guard.StandardOutput.ReadLineAsync();
        return new GuardedProcess(guard, int.Parse(pid!, CultureInfo.InvariantCulture));
    }

    /// <summary>Runs a program to its end.</summary>
    /// <exception cref="InvalidOperationException">It ended with another code than 0.</exception>
    public static async Task RunAsync(ProgramStart start, TimeSpan within)
    {
        await using var process = await StartAsync(start);
        if (await process.ExitAsync(within) is var code and not 0)
            throw new InvalidOperationException($"{start.Program} ended with {code}:\n{LogTail.Read(start.LogFile)}");
    }

    /// <summary>Sends a signal by its name without SIG. One that has ended gets none.</summary>
    public async Task SignalAsync(string signal)
    {
        try
        {
            await _guard.StandardInput.WriteLineAsync(signal);
        }
        catch (IOException) when (WaitForGuard())
        {
        }
    }

    /// <returns>The exit code.</returns>
    /// <exception cref="TimeoutException">It still runs.</exception>
    public async Task<int> ExitAsync(TimeSpan within)
    {
        using var deadline = new CancellationTokenSource(within);
        try
        {
            await _guard.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"Process {Id} did not end within {within.TotalSeconds:0.#} s.");
        }
        return _guard.ExitCode;
    }

    /// <summary>SIGKILL for the program, then for what is left of its process group: as systemd and containers do.</summary>
    public async Task KillAsync()
    {
        await SignalAsync("KILL");
        await ExitAsync(TimeSpan.FromSeconds(10));
    }

    /// <summary>Asks it to end, and ends it by force where it does not: that is an error.</summary>
    /// <exception cref="TimeoutException">It did not end by itself.</exception>
    public async Task<int> StopAsync(string signal, TimeSpan within)
    {
        await SignalAsync(signal);
        try
        {
            return await ExitAsync(within);
        }
        catch (TimeoutException)
        {
            await KillAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        // The end of the guard's input is the end of the program.
        try
        {
            _guard.StandardInput.Close();
        }
        catch (IOException) when (WaitForGuard())
        {
            // It has ended with a signal to it on the way.
        }
        await ExitAsync(TimeSpan.FromSeconds(10));
        _guard.Dispose();
    }

    private bool WaitForGuard() => _guard.WaitForExit(TimeSpan.FromSeconds(1));
}
