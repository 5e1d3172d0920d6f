using System.Diagnostics.Metrics;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Storage.Contracts;
using Storage.Worker;

namespace Storage.Tests;

/// <summary>A host with an in-memory backend, a state folder and an inbox; workers come and go on it.</summary>
internal sealed class WorkerRig : IAsyncDisposable
{
    private readonly ServiceProvider services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly List<FamilyWorker> workers = [];

    public WorkerRig() => Directory.CreateDirectory(Options.FamilyFolder(PoolFamily.File));

    public InMemoryBackend Backend { get; } = new();

    public ReportInbox Inbox { get; } = new();

    /// <summary>What is answered to those who ask for a run that any replica may take.</summary>
    public HoldDesk Holds { get; } = new();

    /// <summary>What is answered to those who ask for a secret.</summary>
    public AskForSecret AskForSecret { get; set; } = (_, _) => throw new InvalidOperationException("No secret is needed.");

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public WorkerOptions Options { get; } = new()
    {
        Host = "host-a",
        StateFolder = Directory.CreateTempSubdirectory("storage-worker-").FullName,
    };

    public PoolDefinition Pool { get; } = NewPool("images");

    public static PoolDefinition NewPool(string name) =>
        new() { Type = PoolType.Dir, Name = name, Uuid = Guid.NewGuid(), Target = new PoolTarget { Path = $"/srv/{name}" } };

    public FamilyWorker New(params IPoolBackend[] backends)
    {
        var worker = new FamilyWorker(
            PoolFamily.File, Options, backends.Length == 0 ? [Backend] : backends, Inbox.SendAsync, Holds.AskAsync, AskForSecret,
            services.GetRequiredService<IMeterFactory>(), Time, NullLogger<FamilyWorker>.Instance);
        workers.Add(worker);
        return worker;
    }

    public async Task<FamilyWorker> StartAsync(params IPoolBackend[] backends)
    {
        var worker = New(backends);
        await worker.StartAsync(CancellationToken.None);
        worker.Announce();
        return worker;
    }

    /// <summary>The journal as a process left it that was killed: to be written before a worker starts.</summary>
    public async Task LeaveAsync(Func<RunJournal, Task> write)
    {
        await using var journal = OpenJournal();
        await write(journal);
    }

    public RunJournal OpenJournal(RevisionClock? clock = null, TimeProvider? time = null, int keep = 1000, bool powerLossSafe = false) => new(
        Path.Combine(Options.FamilyFolder(PoolFamily.File), "journal.db"), new JournalOptions(powerLossSafe, keep, TimeSpan.FromDays(7)),
        clock ?? new RevisionClock(TimeProvider.System), time ?? TimeProvider.System);

    public OperationRun Run(ICommand command, PoolDefinition? pool = null, Guid? id = null) => new(
        id ?? Guid.NewGuid(), command.GetType().Name, pool ?? Pool,
        JsonSerializer.SerializeToElement(command, command.GetType(), StorageJson.Options), 0, DateTimeOffset.UtcNow);

    public OperationRun Create(string volume, PoolDefinition? pool = null) =>
        Run(new CreateVolume(null, "images", new VolumeDefinition { Name = volume, Capacity = 1 }), pool);

    public OperationRun CreateMany(params string[] names) =>
        Run(new CreateVolumes(null, "images", [.. names.Select(name => new VolumeDefinition { Name = name, Capacity = 1 })]));

    public OperationRun Refresh() => Run(new RefreshPool(null, "images"));

    /// <summary>Hands in a run and waits for its terminal event.</summary>
    public async Task<StorageEvent> EndAsync(FamilyWorker worker, OperationRun run)
    {
        await worker.AcceptAsync(new RunOperations([run]));
        return await Inbox.EndAsync(run.OperationId);
    }

    public async ValueTask DisposeAsync()
    {
        Inbox.Away = false;
        foreach (var worker in workers)
            await worker.DisposeAsync();
        await services.DisposeAsync();
        Directory.Delete(Options.StateFolder, recursive: true);
    }
}
