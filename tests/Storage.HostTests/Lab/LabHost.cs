using System.Diagnostics;
using System.Globalization;

namespace Storage.HostTests;

/// <summary>
/// The lab VM as a host of the fleet: the agent runs in it and works over a RabbitMQ outside, which it reaches at the address that the VM has
/// for this machine's loopback. One for all tests of the assembly, started by the first that asks.
/// </summary>
internal sealed class LabHost : AgentHost
{
    private const string Outside = "10.0.2.2";
    private const string Hook = "/var/lib/Storage.FaultHook.dll";
    private static readonly Lazy<Task<LabHost>> Started = new(StartAsync);

    private LabVm? vm;
    private string process = "";

    public LabVm Vm => vm!;

    /// <summary>From the agent's start to its announcement.</summary>
    public TimeSpan AgentStart { get; private set; }

    protected override string KillFile => "/run/kill-agent";

    public static async Task<LabHost> RunningAsync() => await Started.Value;

    public static async Task<LabVm> RunningVmAsync() => (await Started.Value).Vm;

    /// <summary>Ends it where it was started.</summary>
    public static async ValueTask EndAsync()
    {
        if (!Started.IsValueCreated || !Started.Value.IsCompletedSuccessfully)
            return;
        var lab = await Started.Value;
        lab.Vm.Dispose();
        await lab.EndServersAsync();
    }

    public override string Shell(string script) => Vm.Run(script);

    /// <summary>Of the agent and of all in the VM, in MiB.</summary>
    public (int Agent, int All) Memory()
    {
        var figures = Shell($"awk '/^VmRSS/ {{ print int($2 / 1024) }}' /proc/{process}/status; free -m | awk '/^Mem/ {{ print $3 }}'").Split('\n');
        return (int.Parse(figures[0], CultureInfo.InvariantCulture), int.Parse(figures[1], CultureInfo.InvariantCulture));
    }

    protected override Task StartAgentAsync()
    {
        var settings = Settings(new UriBuilder(Bus) { Host = Outside }.Uri, "/var/lib/storage").Concat(Hooked(Hook));
        process = Shell($"""
            cd /
            {string.Join(' ', settings.Select(setting => $"{setting.Key}={Quoted(setting.Value)}"))} \
              setsid /opt/agent/Storage.Agent >>/var/log/agent.log 2>&1 </dev/null &
            echo $!
            """).Trim();
        return Task.CompletedTask;
    }

    protected override Task AgentEndedAsync() => Task.Run(() => Shell($"for i in $(seq 600); do [ -e /proc/{process} ] || exit 0; sleep 0.1; done; exit 1"));

    protected override string AgentLog() => Shell("tail -c 4000 /var/log/agent.log");

    private static async Task<LabHost> StartAsync()
    {
        Requires.Tool("ssh");
        Requires.Broker();
        var lab = new LabHost();
        var starting = LabVm.StartAsync(agent: true);
        try
        {
            await Task.WhenAll(starting, lab.StartServersAsync());
            lab.vm = await starting;
            lab.Shell($"""
                mkdir -p /opt/agent /var/log
                mount -o ro /dev/disk/by-id/virtio-agent /opt/agent
                base64 -d >{Hook} <<END
                {Convert.ToBase64String(await File.ReadAllBytesAsync(Built("Storage.FaultHook")))}
                END
                """);
            var watch = Stopwatch.StartNew();
            await lab.StartAgentAsync();
            await lab.AnnouncedAsync();
            lab.AgentStart = watch.Elapsed;
            var (agent, all) = lab.Memory();
            RunNotes.Add($"lab: booted in {lab.vm.Boot}, agent announced after {lab.AgentStart.TotalSeconds:0.0} s, which has {agent} MiB of the VM's {all} MiB in use");
            return lab;
        }
        catch
        {
            await starting.ContinueWith(vm => vm.Result.Dispose(), TaskContinuationOptions.OnlyOnRanToCompletion).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await lab.EndServersAsync();
            throw;
        }
    }
}
