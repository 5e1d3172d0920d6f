using Microsoft.Extensions.Configuration;
using Storage.Contracts;
using Storage.Worker;

namespace Storage.StandInWorker;

/// <summary>
/// Stands in for a cluster: a directory that all replicas see (<c>StandIn:Cluster</c>), its files are the volumes. What is done to it is
/// written down, and a volume whose name begins with <c>held-</c> is held back half made until a test lets it go.
/// </summary>
public sealed class DirectoryCluster(IConfiguration configuration) : IVolumeCreator, IVolumeDeleter
{
    private const string HeldBack = "held-";
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    private readonly string volumes = configuration["StandIn:Cluster"] ?? throw new InvalidOperationException("StandIn:Cluster is missing.");
    private readonly string host = configuration["Worker:Host"] ?? throw new InvalidOperationException("Worker:Host is missing.");

    public PoolType Type => PoolType.Rbd;

    /// <summary>What tests read and write; beside the volumes, so that these are all that is in the cluster.</summary>
    private string Control => $"{volumes}-control";

    public Task<PoolTypeSupport> ProbeAsync(CancellationToken cancellationToken) => Task.FromResult(
        new PoolTypeSupport(Type, Available: true, Reason: null, BackendOperations.Of(this), [new FormatSupport("raw", true)], []));

    public Task<PoolState> CheckAsync(PoolDefinition pool, CancellationToken cancellationToken) =>
        Task.FromResult(Directory.Exists(volumes) ? PoolState.Running : PoolState.Inactive);

    public async Task<PoolObservation> RefreshAsync(
        PoolDefinition pool, Func<VolumeDefinition, ValueTask> onVolume, Run run, CancellationToken cancellationToken)
    {
        foreach (var name in Directory.EnumerateFiles(volumes).Select(path => Path.GetFileName(path)!).Where(name => name[0] != '.').Order(Utf8Order.Comparer))
            await onVolume(Read(name)!);
        return new PoolObservation(PoolState.Running, 1 << 30, 0, 1 << 30);
    }

    public Task<VolumeDefinition?> ReadVolumeAsync(PoolDefinition pool, string volume, CancellationToken cancellationToken) => Task.FromResult(Read(volume));

    public async Task<VolumeDefinition> CreateVolumeAsync(PoolDefinition pool, VolumeDefinition volume, Run run, CancellationToken cancellationToken)
    {
        if (Read(volume.Name) is { } there)
            return run.Resumed ? there : throw new StorageException(ErrorCodes.VolumeExists, $"Volume '{volume.Name}' exists.");
        await run.BeginAsync(cancellationToken);
        var part = Path.Combine(volumes, $".{run.OperationId}.part");
        try
        {
            WriteDown("begun", volume.Name);
            await File.WriteAllBytesAsync(part, new byte[volume.Capacity ?? 0], cancellationToken);
            await HoldBackAsync(volume.Name, cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();
            WriteDown("made", volume.Name);
            File.Move(part, PathOf(volume.Name));
        }
        catch when (!run.CutOff)
        {
            File.Delete(part);
            throw;
        }
        return Read(volume.Name)!;
    }

    public async Task DeleteVolumeAsync(PoolDefinition pool, string volume, Run run, CancellationToken cancellationToken)
    {
        await run.BeginAsync(cancellationToken);
        WriteDown("deleted", volume);
        File.Delete(PathOf(volume));
    }

    private VolumeDefinition? Read(string name)
    {
        var file = new FileInfo(PathOf(name));
        return !file.Exists ? null : new VolumeDefinition
        {
            Name = name,
            Key = $"cluster/{name}",
            Path = $"cluster/{name}",
            Type = VolumeKind.Network,
            Format = "raw",
            Capacity = file.Length,
            Allocation = file.Length,
        };
    }

    private string PathOf(string volume) => Path.Combine(volumes, volume);

    /// <summary>One line after the other: two replicas that append at once would write to the same place.</summary>
    private void WriteDown(string what, string volume)
    {
        using var alone = Alone(Path.Combine(Control, "effects.lock"));
        File.AppendAllText(Path.Combine(Control, "effects"), $"{host} {what} {volume}\n");
    }

    private static FileStream Alone(string file)
    {
        while (true)
        {
            try
            {
                return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException)
            {
                Thread.Sleep(1);
            }
        }
    }

    private async Task HoldBackAsync(string volume, CancellationToken cancellationToken)
    {
        if (!volume.StartsWith(HeldBack, StringComparison.Ordinal))
            return;
        await File.WriteAllTextAsync(Path.Combine(Control, $"{host}-holds-{volume}"), "", cancellationToken);
        while (!File.Exists(Path.Combine(Control, $"go-{volume}")))
            await Task.Delay(Look, cancellationToken);
    }
}
