namespace Storage.IntegrationTests;

/// <summary>The cluster of the stand-in workers: a directory that all of them see, and what they wrote down of what they did to it.</summary>
public sealed class SharedCluster : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("storage-cluster-").FullName;

    public SharedCluster()
    {
        Directory.CreateDirectory(Volumes);
        Directory.CreateDirectory(Control);
    }

    /// <summary>Everything that lies in the cluster, unfinished things too.</summary>
    public string[] Files => StorageUnderTest.FilesIn(Volumes);

    /// <summary>What was done to it, in order: the host, <c>begun</c>, <c>made</c> or <c>deleted</c>, and the volume.</summary>
    public string[] Effects => File.Exists(Path.Combine(Control, "effects")) ? File.ReadAllLines(Path.Combine(Control, "effects")) : [];

    private string Volumes => Path.Combine(_folder, "cluster");

    private string Control => Path.Combine(_folder, "cluster-control");

    /// <summary>A fleet with a replica on each of the hosts.</summary>
    /// <param name="lostAfter">Seconds of silence after which a replica is lost.</param>
    public FleetLayout Layout(int lostAfter, params string[] hosts) => new()
    {
        Workers = [.. hosts.Select(host => new FleetWorker(host, "Storage.StandInWorker"))],
        Environment = new Dictionary<string, string>
        {
            ["StandIn__Cluster"] = Volumes,
            ["Ledger__LostAfter"] = TimeSpan.FromSeconds(lostAfter).ToString(),
            ["Worker__AnnounceInterval"] = "00:00:00.5",
            ["Inventory__SweepInterval"] = "00:00:00.5",
        },
    };

    /// <summary>Waits until a host holds a volume back half made.</summary>
    public Task HeldBackAsync(string host, string volume) =>
        Eventually.HoldsAsync($"{host} to hold back {volume}", _ => Task.FromResult(File.Exists(HoldFile(host, volume))));

    /// <summary>So that it is seen when it does so again.</summary>
    public void ForgetHeldBack(string host, string volume) => File.Delete(HoldFile(host, volume));

    public void LetGo(string volume) => File.WriteAllText(Path.Combine(Control, $"go-{volume}"), "");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string HoldFile(string host, string volume) => Path.Combine(Control, $"{host}-holds-{volume}");
}
