using Storage.TestServers;

namespace Storage.HostTests;

/// <summary>The machine of the tests, with the agent in a process of its own. One for all tests of the run, started by the first that asks.</summary>
internal sealed class MachineAgent : AgentHost
{
    private static readonly Lazy<Task<MachineAgent>> Started = new(StartAsync);

    private readonly string folder = Directory.CreateTempSubdirectory("machine-agent-").FullName;
    private GuardedProcess? agent;

    protected override string KillFile => Path.Combine(folder, "kill");

    private string Log => Path.Combine(folder, "agent.log");

    public static async Task<AgentHost> RunningAsync() => await Started.Value;

    /// <summary>Ends it where it was started.</summary>
    public static async Task EndAsync()
    {
        if (!Started.IsValueCreated || !Started.Value.IsCompletedSuccessfully)
            return;
        var machine = await Started.Value;
        await machine.agent!.DisposeAsync();
        await machine.EndServersAsync();
        Directory.Delete(machine.folder, recursive: true);
    }

    public override string Shell(string script) => HostProgram.Run("sh", "-ec", script);

    protected override async Task StartAgentAsync()
    {
        if (agent is not null)
            await agent.DisposeAsync();
        var settings = Settings(Bus, Path.Combine(folder, "state")).Concat(Hooked(Built("Storage.FaultHook"))).Append(new("Urls", "http://127.0.0.1:0"));
        agent = await GuardedProcess.StartAsync(
            new ProgramStart(Requires.Tool("dotnet"), [Built("Storage.Agent")], folder, Log) { Environment = settings.ToDictionary() });
    }

    protected override Task AgentEndedAsync() => agent!.ExitAsync(Eventually.Deadline);

    protected override string AgentLog() => LogTail.Read(Log);

    private static async Task<MachineAgent> StartAsync()
    {
        Requires.Root();
        Requires.Broker();
        var machine = new MachineAgent();
        try
        {
            await machine.StartServersAsync();
            await machine.StartAgentAsync();
            await machine.AnnouncedAsync();
            return machine;
        }
        catch
        {
            if (machine.agent is not null)
                await machine.agent.DisposeAsync();
            await machine.EndServersAsync();
            throw;
        }
    }
}
