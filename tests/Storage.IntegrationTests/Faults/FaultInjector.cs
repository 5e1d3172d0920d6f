using System.Diagnostics;
using Storage.Contracts;
using Xunit;

namespace Storage.IntegrationTests;

/// <summary>
/// Injects faults one after the other, chosen by the seed. Each is made good before the next; a command sent at the moment of a kill is
/// waited for, and how long that took is kept.
/// </summary>
public sealed class FaultInjector(FaultScene scene, int seed)
{
    private static readonly string[] WorkerSteps =
    [
        StepKill.JournalCommitting, StepKill.JournalCommitted, StepKill.ToolStarting, StepKill.ToolEnded, StepKill.RunEnding, StepKill.BeforeSend,
        StepKill.AfterSend,
    ];

    private static readonly string[] ControlSteps =
        [StepKill.LedgerCommitting, StepKill.LedgerCommitted, StepKill.BeforeSend, StepKill.AfterSend];

    private readonly Random random = new(seed);
    private readonly Fleet fleet = scene.Fleet;
    private readonly TestBackends backends = scene.Backends;
    private readonly IReadOnlyList<FaultPool> pools = scene.Pools;
    private readonly Surroundings around = scene.Around;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async Task InjectAsync()
    {
        await Task.Delay(random.Next(50, 400), Cancellation);
        switch (random.Next(100))
        {
            case < 30:
                await KillAsync(Victim());
                break;
            case < 55:
                await KillAtStepAsync(Victim());
                break;
            case < 59:
                await KillAllAsync();
                break;
            case < 63:
                await PauseAsync(Victim());
                break;
            case < 66:
                await CountedAsync("broker restarted", backends.RestartBrokerAsync);
                break;
            case < 68:
                await CountedAsync("broker killed", async () =>
                {
                    await backends.Broker.KillAsync();
                    await backends.Broker.StartAsync(Cancellation);
                });
                break;
            case < 71:
                await CountedAsync("database restarted", backends.RestartDatabaseAsync);
                break;
            case < 73:
                await CountedAsync("database killed", async () =>
                {
                    await backends.Database.KillAsync();
                    await backends.Database.StartAsync(Cancellation);
                });
                break;
            case < 76:
                await CountedAsync("bus connections cut", () => fleet.Space.CutBusAsync(Cancellation));
                break;
            case < 79:
                await CountedAsync("database connections cut", () => fleet.Space.CutLedgerAsync(Cancellation));
                break;
            case < 81:
                await ShuffleAsync();
                break;
            case < 84:
                await CountedAsync("old messages again", () => around.Messages.DeliverAgainAsync(random.Next(20, 200), random));
                break;
            case < 87 when around.Clocks is not null:
                await JumpAsync(around.Clocks);
                break;
            case < 92:
                await MisleadAsync(UnreliableTool.Moods[random.Next(UnreliableTool.Moods.Length)]);
                break;
            case < 96 when around.Disk is not null:
                await SpoilAsync(around.Disk);
                break;
            default:
                Tamper(pools.Where(pool => pool.Rough).ElementAt(random.Next(pools.Count(pool => pool.Rough))));
                break;
        }
    }

    private ServiceProcess Victim() => random.Next(4) switch
    {
        0 => fleet.Api,
        1 => fleet.Inventory,
        _ => fleet.Workers[0],
    };

    private Task KillAsync(ServiceProcess victim) => CountedAsync($"{Kind(victim)} killed", async () =>
    {
        await victim.KillAsync();
        await RecoverAsync(() => victim.StartAsync());
    });

    private Task KillAllAsync() => CountedAsync("all services killed", async () =>
    {
        ServiceProcess[] all = [fleet.Api, fleet.Inventory, fleet.Workers[0]];
        await Task.WhenAll(all.Select(service => service.KillAsync()));
        scene.Tally.CountKill();
        scene.Tally.CountKill();
        await RecoverAsync(() => Task.WhenAll(all.Select(service => service.StartAsync())));
    });

    /// <summary>The service kills itself at some pass of a step; where it does not come so far, it is killed after a while.</summary>
    private async Task KillAtStepAsync(ServiceProcess victim)
    {
        var steps = victim == fleet.Workers[0] ? WorkerSteps : ControlSteps;
        var step = steps[random.Next(steps.Length)];
        await victim.KillAsync();
        scene.Tally.CountKill();
        var reached = await StepKill.RunAsync(victim, step, random.Next(1, 60));
        await CountedAsync(reached ? $"{Kind(victim)} killed at {step.Split('.', '/')[^1]}" : $"{Kind(victim)} killed", () => RecoverAsync(() => victim.StartAsync()));
    }

    private async Task RecoverAsync(Func<Task> start)
    {
        scene.Tally.CountKill();
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(start(), scene.Client.ProbeAsync(scene.Probe));
        scene.Tally.Recoveries.Enqueue(watch.Elapsed);
    }

    private Task PauseAsync(ServiceProcess victim) => CountedAsync($"{Kind(victim)} paused", async () =>
    {
        await victim.SignalAsync("STOP");
        await Task.Delay(random.Next(500, 3000), Cancellation);
        await victim.SignalAsync("CONT");
    });

    /// <summary>While the worker is away, what waits for it is doubled and put into another order.</summary>
    private Task ShuffleAsync() => CountedAsync("messages doubled and reordered", async () =>
    {
        var worker = fleet.Workers[0];
        await worker.KillAsync();
        scene.Tally.CountKill();
        await Task.Delay(500, Cancellation);
        await using (var connection = await fleet.ConnectAsync())
        {
            await using var channel = await connection.CreateChannelAsync(cancellationToken: Cancellation);
            var queue = Queues.Worker(PoolFamily.File, "host-a");
            var taken = new List<RabbitMQ.Client.BasicGetResult>();
            while (taken.Count < 200 && await channel.BasicGetAsync(queue, autoAck: false, Cancellation) is { } message)
                taken.Add(message);
            var again = taken.Concat(taken).ToArray();
            random.Shuffle(again);
            foreach (var message in again)
                await channel.BasicPublishAsync("", queue, false, new RabbitMQ.Client.BasicProperties(message.BasicProperties), message.Body, Cancellation);
            foreach (var message in taken)
                await channel.BasicAckAsync(message.DeliveryTag, false, Cancellation);
        }
        await worker.StartAsync();
    });

    /// <summary>A service's clock is wrong for a while, up to a day, and so may be what it starts with.</summary>
    private Task JumpAsync(ServiceClocks clocks) => CountedAsync("clock jump", async () =>
    {
        var victim = Victim();
        clocks.Set(victim.Name, TimeSpan.FromSeconds(random.Next(-86_400, 86_400)));
        await Task.Delay(random.Next(300, 3000), Cancellation);
        if (random.Next(2) == 0)
            await KillAsync(victim);
        clocks.Set(victim.Name, TimeSpan.Zero);
    });

    private Task MisleadAsync(string mood) => CountedAsync($"tool: {mood}", async () =>
    {
        around.Tool.Turn(mood);
        await Task.Delay(random.Next(300, 1500), Cancellation);
        around.Tool.Turn(null);
    });

    private async Task SpoilAsync(SmallDisk small)
    {
        if (random.Next(2) == 0)
        {
            await CountedAsync("disk full", async () =>
            {
                small.Fill(random.Next(200_000));
                await Task.Delay(random.Next(300, 2000), Cancellation);
                small.Free();
            });
            return;
        }
        await CountedAsync("disk read-only", async () =>
        {
            if (await small.SetReadOnlyAsync(true))
                await Task.Delay(random.Next(300, 2000), Cancellation);
            await small.SetReadOnlyAsync(false);
        });
    }

    /// <summary>Somebody else works in the pool's directory.</summary>
    private void Tamper(FaultPool pool)
    {
        var files = Directory.GetFiles(pool.Path, "v*");
        if (files.Length == 0)
            return;
        var file = files[random.Next(files.Length)];
        var what = random.Next(4);
        scene.Tally.Count($"file {(what switch { 0 => "removed", 1 => "renamed", 2 => "grown", _ => "added" })}");
        try
        {
            switch (what)
            {
                case 0:
                    File.Delete(file);
                    break;
                case 1:
                    File.Move(file, Path.Combine(pool.Path, $"renamed-{random.Next(50)}"), overwrite: true);
                    break;
                case 2:
                    using (var grown = File.Open(file, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
                        grown.SetLength(grown.Length + 65536);
                    break;
                default:
                    File.WriteAllText(Path.Combine(pool.Path, $"foreign-{random.Next(50)}"), "not ours");
                    break;
            }
        }
        catch (IOException)
        {
            // The worker was faster, or the disk is full.
        }
    }

    private async Task CountedAsync(string fault, Func<Task> inject)
    {
        scene.Tally.Count(fault);
        await inject();
    }

    private string Kind(ServiceProcess service) =>
        service == fleet.Api ? "api" : service == fleet.Inventory ? "inventory" : "worker";
}
