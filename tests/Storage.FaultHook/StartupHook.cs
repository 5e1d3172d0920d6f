using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

/// <summary>
/// Loaded into a service by DOTNET_STARTUP_HOOKS: the process ends itself with SIGKILL at the n-th pass of a step that it tells of.
/// STORAGE_KILL_AT says which: <c>SOURCE/STEP#N</c>, where the source is a <see cref="DiagnosticListener"/>, or <c>send/before#N</c> and
/// <c>send/after#N</c> for messages that are sent. With <c>SOURCE/@FILE</c> it is the <c>STEP#N</c> in a file, from the moment when that is
/// there; it is taken away before the end.
/// </summary>
internal static partial class StartupHook
{
    private const int Kill = 9;

    private static int left;
    private static string file = "";

    public static void Initialize()
    {
        if (Environment.GetEnvironmentVariable("STORAGE_KILL_AT") is not { Length: > 0 } where)
            return;
        var slash = where.IndexOf('/', StringComparison.Ordinal);
        var (source, point) = (where[..slash], where[(slash + 1)..]);
        if (point.StartsWith('@'))
        {
            file = point[1..];
            DiagnosticListener.AllListeners.Subscribe(new Sources(source, _ => true, PassInFile));
            return;
        }
        (var step, left) = Parse(point);
        if (source == "send")
            ListenToSends(step);
        else
            DiagnosticListener.AllListeners.Subscribe(new Sources(source, name => name == step, _ => Pass()));
    }

    private static (string Step, int Passes) Parse(string point)
    {
        var hash = point.LastIndexOf('#');
        return (point[..hash], int.Parse(point[(hash + 1)..], CultureInfo.InvariantCulture));
    }

    /// <summary>Steps are passed on several threads: the count is in the file's text, and one of them at a time has it.</summary>
    private static void PassInFile(string passed)
    {
        lock (file)
        {
            if (!File.Exists(file))
                return;
            var (step, passes) = Parse(File.ReadAllText(file).Trim());
            if (step != passed)
                return;
            if (passes > 1)
            {
                File.WriteAllText(file, $"{step}#{passes - 1}");
                return;
            }
            File.Delete(file);
            left = 1;
            Pass();
        }
    }

    private static void Pass()
    {
        if (Interlocked.Decrement(ref left) == 0)
            _ = SendSignal(Environment.ProcessId, Kill);
    }

    private static void ListenToSends(string step)
    {
        var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "MassTransit",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
        };
        Action<Activity> pass = activity =>
        {
            if (activity.Kind == ActivityKind.Producer)
                Pass();
        };
        if (step == "before")
            listener.ActivityStarted = pass;
        else
            listener.ActivityStopped = pass;
        ActivitySource.AddActivityListener(listener);
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int process, int signal);

    private sealed class Sources(string source, Predicate<string> wanted, Action<string> pass) : IObserver<DiagnosticListener>
    {
        public void OnNext(DiagnosticListener value)
        {
            if (value.Name == source)
                value.Subscribe(new Steps(wanted, pass), name => wanted(name));
        }

        public void OnCompleted()
        {
        }

        public void OnError(Exception error)
        {
        }
    }

    private sealed class Steps(Predicate<string> wanted, Action<string> pass) : IObserver<KeyValuePair<string, object?>>
    {
        public void OnNext(KeyValuePair<string, object?> value)
        {
            if (wanted(value.Key))
                pass(value.Key);
        }

        public void OnCompleted()
        {
        }

        public void OnError(Exception error)
        {
        }
    }
}
