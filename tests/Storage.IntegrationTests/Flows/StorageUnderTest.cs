using System.Text.Json;
using Xunit;

namespace Storage.IntegrationTests;

/// <summary>A running Storage, however it is put together.</summary>
/// <param name="Client">Its API.</param>
/// <param name="PoolPath">A target path of its host for a pool of this name; its parent exists, itself it does not.</param>
public sealed record StorageUnderTest(StorageClient Client, Func<string, string> PoolPath)
{
    /// <summary>Defines, builds and starts a directory pool, and gives its path on the host.</summary>
    public async Task<string> RunningPoolAsync(string name)
    {
        var path = PoolPath(name);
        await Client.PostAsync("/v1/pools", new { type = "dir", name, target = new { path } });
        await Client.PostAsync($"/v1/pools/{name}/build");
        await Client.PostAsync($"/v1/pools/{name}/start");
        return path;
    }

    public async Task<string[]> VolumesAsync(string pool) =>
        [.. (await Client.ReadAllAsync($"/v1/pools/{pool}/volumes", limit: 1000)).Select(Name)];

    /// <summary>What lies in a directory, in the order in which the inventory lists names; all of it, hidden files too.</summary>
    public static string[] FilesIn(string path) =>
        [.. Directory.EnumerateFileSystemEntries(path).Select(entry => Path.GetFileName(entry)!).Order(Storage.Contracts.Utf8Order.Comparer)];

    public static string Name(JsonElement item) => item.GetProperty("name").GetString()!;
}

public sealed class StandaloneFixture : IAsyncLifetime
{
    public StandaloneProcess Standalone { get; private set; } = null!;

    public async ValueTask InitializeAsync() =>
        Standalone = await StandaloneProcess.StartAsync(new Dictionary<string, string> { ["Worker__Host"] = "host-a" });

    public ValueTask DisposeAsync() => Standalone is null ? ValueTask.CompletedTask : Standalone.DisposeAsync();
}
