namespace Storage.IntegrationTests;

/// <summary>
/// Faults that are aimed: each at one protection, so that without it the same run is certain to go wrong. Random ones come past all of
/// them too, but now and then, and are often healed by another.
/// </summary>
public static class DirectedFaults
{
    private const string Pool = "quiet-a";
    private const string Volumes = $"/v1/pools/{Pool}/volumes";

    /// <summary>By the names of the protections; each is switched off by a patch of that name in <c>Broken</c>.</summary>
    public static IReadOnlyDictionary<string, Func<FaultScene, Task>> All { get; } = new Dictionary<string, Func<FaultScene, Task>>
    {
        ["claims"] = TakeTurnsAsync,
        ["idempotency"] = SendTwiceAsync,
        ["journal"] = KillBetweenEntriesAsync,
        ["resend"] = KillBeforeSendAsync,
        ["revisions"] = SayLateAsync,
        ["undo"] = CutOffAsync,
    };

    /// <summary>What is slow has the name first; a quick one comes after it.</summary>
    private static async Task TakeTurnsAsync(FaultScene scene)
    {
        await SlowAsync(scene, async () =>
        {
            await BeginAsync(scene, Image("turn"));
            await CreateAsync(scene, Raw("turn"));
        });
    }

    private static async Task SendTwiceAsync(FaultScene scene)
    {
        await scene.Client.TwiceAsync(Volumes, Raw("twice"), Guid.NewGuid());
        await scene.Client.PublishAsync(Pool, "thrice", Guid.NewGuid(), times: 3);
    }

    /// <summary>The worker dies while it has much in hand: taken, begun, made and not yet said.</summary>
    private static async Task KillBetweenEntriesAsync(FaultScene scene)
    {
        var worker = scene.Fleet.Workers[0];
        foreach (var (step, pass) in new[] { (StepKill.JournalCommitted, 3), (StepKill.JournalCommitted, 6), (StepKill.RunEnding, 1), (StepKill.RunEnding, 12) })
        {
            await worker.KillAsync();
            scene.Tally.CountKill();
            var made = await Task.WhenAll(Enumerable.Range(0, 30).Select(i => CreateAsync(scene, Raw($"journal-{step.Split('/')[^1]}-{pass}-{i}"))));
            await KillAtAsync(scene, worker, step, pass);
            await worker.StartAsync();
            foreach (var operation in made)
                await scene.Fleet.Client.EndOfAsync(operation);
        }
    }

    /// <summary>The Api dies when a command is committed and not yet sent; the worker, to which a new one would send it again, lives on.</summary>
    private static async Task KillBeforeSendAsync(FaultScene scene)
    {
        foreach (var step in new[] { StepKill.BeforeSend, StepKill.LedgerCommitted })
        {
            await scene.Fleet.Api.KillAsync();
            scene.Tally.CountKill();
            var killed = KillAtAsync(scene, scene.Fleet.Api, step, 1);
            var made = CreateAsync(scene, Raw($"resend-{Guid.NewGuid():N}"));
            await killed;
            await scene.Fleet.Api.StartAsync();
            await made;
        }
    }

    /// <summary>A volume is made and removed; then it is said once more that it was made.</summary>
    private static async Task SayLateAsync(FaultScene scene)
    {
        var name = $"late-{Guid.NewGuid():N}";
        await scene.Fleet.Client.EndOfAsync(await CreateAsync(scene, Raw(name)));
        await scene.Fleet.Client.DeleteAsync($"{Volumes}/{name}");
        await scene.Around.Messages.SayAgainAsync(name);
        scene.Tally.Count("old report under new ids");
        // Reports are taken in as they come: when this one is, so are those.
        for (var i = 0; i < 3; i++)
            await scene.Client.ProbeAsync(scene.Probe);
    }

    /// <summary>A tool leaves half a file, and the worker dies while one is at work.</summary>
    private static async Task CutOffAsync(FaultScene scene)
    {
        scene.Around.Tool.Turn("half");
        scene.Tally.Count("tool: half");
        await scene.Fleet.Client.EndOfAsync(await CreateAsync(scene, Image("half")));
        var worker = scene.Fleet.Workers[0];
        await SlowAsync(scene, async () =>
        {
            await BeginAsync(scene, Image("cut-off"));
            await worker.KillAsync();
            scene.Tally.CountKill();
        });
        await worker.StartAsync();
    }

    private static async Task SlowAsync(FaultScene scene, Func<Task> act)
    {
        scene.Around.Tool.Turn("slow");
        scene.Tally.Count("tool: slow");
        await act();
        scene.Around.Tool.Turn(null);
    }

    private static async Task KillAtAsync(FaultScene scene, ServiceProcess service, string step, int pass)
    {
        var reached = await StepKill.RunAsync(service, step, pass, TimeSpan.FromSeconds(60));
        scene.Tally.CountKill();
        scene.Tally.Count($"{service.Name} killed{(reached ? $" at {step.Split('.', '/')[^1]}" : "")}");
    }

    private static async Task<Guid> CreateAsync(FaultScene scene, object volume) =>
        await scene.Client.SendAsync(HttpMethod.Post, Volumes, volume, Guid.NewGuid()) ?? throw new InvalidOperationException("A creation was refused.");

    /// <summary>Sends a creation and returns when a tool is at work on it.</summary>
    private static async Task BeginAsync(FaultScene scene, object volume)
    {
        var before = Unfinished();
        await CreateAsync(scene, volume);
        await Eventually.HoldsAsync("the file in the making", _ => Task.FromResult(Unfinished().Except(before).Any()));
        return;

        string[] Unfinished() => Directory.GetFiles(scene.Pools.First(pool => pool.Name == Pool).Path, ".storage-*.part");
    }

    private static object Raw(string name) => new { name, capacity = 65536, allocation = 65536 };

    /// <summary>Of a format that a tool makes.</summary>
    private static object Image(string name) => new { name, capacity = 1 << 20, format = "qed" };
}
