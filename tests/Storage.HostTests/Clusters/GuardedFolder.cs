using System.Diagnostics;
using Storage.Contracts;
using Storage.Worker;

namespace Storage.HostTests;

/// <summary>
/// A folder and the server programs that work in it. When it is disposed, or when this process has ended, however it did, all of it goes:
/// the programs with everything that they started, what is mounted in the folder or from its servers, loop devices on its files, and the
/// folder itself. A small shell does that: it lives as long as its standard input, which the kernel closes also after SIGKILL.
/// </summary>
internal sealed class GuardedFolder : IAsyncDisposable
{
    /// <summary>What the environment of every program in the folder says, also of one that has made itself a daemon.</summary>
    public const string Mark = "STORAGE_GUARDED_FOLDER";

    // Arguments: the folder; how the sources of its servers' mounts begin; the mark. Commands come by the standard input, one a line.
    private const string Guard = """
        exec >/dev/null 2>&1
        folder=$1 servers=$2 mark=$3
        while IFS= read -r command; do eval "$command"; done
        mounts() {
          awk -v folder="$folder/" -v servers="$servers" '
            { for (i = 7; $i != "-"; i++); if (index($5, folder) == 1 || servers != "" && index($(i + 2), servers) == 1) print $5 }' /proc/self/mountinfo
        }
        mounts | tac | while IFS= read -r path; do umount --lazy --no-canonicalize "$(printf '%b' "$path")"; done
        programs() { grep --files-with-matches --no-messages --null-data --fixed-strings --line-regexp "$mark=$folder" /proc/[0-9]*/environ | cut -d/ -f3; }
        for _ in $(seq 200); do
          pids=$(programs)
          [ -n "$pids" ] || break
          kill -KILL $pids
          sleep 0.05
        done
        # What starts them notes how they end.
        [ -n "$pids" ] || wait
        for file in /sys/block/loop*/loop/backing_file; do
          case $(cat "$file") in
            "$folder"/*) device=${file#/sys/block/}; losetup --detach "/dev/${device%%/*}" ;;
          esac
        done
        [ ! -f "$folder/elsewhere" ] || while IFS= read -r file; do rm -f "$file"; done <"$folder/elsewhere"
        # What has just been killed, or works in a guarded folder within this one, may still write.
        for _ in $(seq 100); do
          rm -rf --one-file-system "$folder"
          [ -e "$folder" ] || break
          sleep 0.1
        done
        """;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(30);

    private readonly Process guard;

    private GuardedFolder(string kind, string servers)
    {
        Path = Directory.CreateTempSubdirectory($"storage-{kind}-").FullName;
        // A session of its own: Ctrl+C in the terminal ends the tests and leaves it to the guard to end the servers.
        var start = new ProcessStartInfo("setsid", ["sh", "-c", Guard, "guard", Path, servers, Mark]) { RedirectStandardInput = true };
        // It is nobody's to end.
        start.Environment.Remove(Mark);
        guard = Process.Start(start)!;
        guard.StandardInput.AutoFlush = true;
    }

    public string Path { get; }

    /// <summary>A folder with nothing in it.</summary>
    public static GuardedFolder Of(string kind) => new(kind, servers: "");

    /// <summary>A folder with what is started in it. Where that fails, nothing is left.</summary>
    /// <param name="servers">How the sources of its servers' mounts begin, which go with it wherever they are; empty where it has none.</param>
    public static async Task<T> FillAsync<T>(string kind, Func<GuardedFolder, Task<T>> fill, string servers = "")
    {
        var folder = new GuardedFolder(kind, servers);
        try
        {
            return await fill(folder);
        }
        catch
        {
            await folder.DisposeAsync();
            throw;
        }
    }

    /// <summary>A path in the folder.</summary>
    public string In(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Makes a folder in the folder, if it is not there.</summary>
    public string Folder(string name) => Directory.CreateDirectory(In(name)).FullName;

    /// <summary>Starts a program that stays in the foreground. What it prints is in <c>NAME.log</c>.</summary>
    public void Start(string name, HostCommand program)
    {
        var assignments = program.Variables.Append(new KeyValuePair<string, string>(Mark, Path)).Select(variable => $"{variable.Key}={Quoted(variable.Value)}");
        var words = program.Arguments.Prepend(Requires.Tool(program.Program)).Select(Quoted);
        guard.StandardInput.WriteLine(
            $"( env {string.Join(' ', assignments)} {string.Join(' ', words)} </dev/null >{Quoted(In(name + ".log"))} 2>&1; echo {name} $? >>{Quoted(In("ended"))} ) &");
    }

    /// <summary>A file that a server leaves elsewhere. It goes with the folder.</summary>
    public void Owns(string file) => File.AppendAllText(In("elsewhere"), file + "\n");

    /// <summary>Puts a question to the servers again and again, until it has an answer.</summary>
    /// <exception cref="InvalidOperationException">A program has ended, or there was no answer for 90 s; with the ends of the logs.</exception>
    public async Task AnswersAsync(string what, Func<Task> question)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        for (var watch = Stopwatch.StartNew(); ; await timer.WaitForNextTickAsync())
        {
            try
            {
                await question();
                return;
            }
            catch (StorageException e)
            {
                if (File.Exists(In("ended")))
                    throw new InvalidOperationException($"{what}: ended with {File.ReadAllText(In("ended")).Trim()}.\n{Logs()}", e);
                if (watch.Elapsed > Patience)
                    throw new InvalidOperationException($"{what}: no answer in {Patience.TotalSeconds} s. {e.Message}\n{Logs()}", e);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        guard.StandardInput.Close();
        using var deadline = new CancellationTokenSource(EndLimit);
        await guard.WaitForExitAsync(deadline.Token);
        guard.Dispose();
    }

    private static string Quoted(string text) => $"'{text.Replace("'", @"'\''", StringComparison.Ordinal)}'";

    private string Logs() => string.Join('\n', Directory.EnumerateFiles(Path, "*.log").Select(log => $"{System.IO.Path.GetFileName(log)}:\n{string.Join('\n', File.ReadLines(log).TakeLast(10))}"));
}
