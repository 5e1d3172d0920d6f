using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

/// <summary>
/// Loaded into a service by DOTNET_STARTUP_HOOKS: the process ends itself with SIGKILL at the n-th pass of a step that it tells of.
/// STORAGE_KILL_AT says which: <c>SOURCE/STEP#N</c>, where the source is a <see cref="DiagnosticListener"/>, or <c>send/before#N</c> and
/// <c>send/after#N</c> for messages that are sent.
/// </summary>
internal static partial class StartupHook
{
    private const int Kill = 9;

    private static int left;

    public static void Initialize()
    {
        if (Environment.GetEnvironmentVariable("STORAGE_KILL_AT") is not { Length: > 0 } where)
            return;
        var hash = where.LastIndexOf('#');
        var slash = where.IndexOf('/', StringComparison.Ordinal);
        var (source, step) = (where[..slash], where[(slash + 1)..hash]);
        left = int.Parse(where[(hash + 1)..], CultureInfo.InvariantCulture);
        if (source == "send")
            ListenToSends(step);
        else
            DiagnosticListener.AllListeners.Subscribe(new Sources(source, step));
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

    private sealed class Sources(string source, string step) : IObserver<DiagnosticListener>
    {
        public void OnNext(DiagnosticListener value)
        {
            if (value.Name == source)
                value.Subscribe(new Steps(step), name => name == step);
        }

        public void OnCompleted()
        {
        }

        public void OnError(Exception error)
        {
        }
    }

    private sealed class Steps(string step) : IObserver<KeyValuePair<string, object?>>
    {
        public void OnNext(KeyValuePair<string, object?> value)
        {
            if (value.Key == step)
                Pass();
        }

        public void OnCompleted()
        {
        }

        public void OnError(Exception error)
        {
        }
    }
}
