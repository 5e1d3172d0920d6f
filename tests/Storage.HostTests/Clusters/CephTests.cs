using System.Text.Json;
using Storage.Worker;
using Xunit;

namespace Storage.HostTests;

/// <summary>What the rbd tool and a real cluster offer to a client that has nothing but an address, a name and a key.</summary>
[Trait("needs", "clusters")]
public sealed class CephTests : IAsyncLifetime
{
    private readonly string image = $"{CephCluster.Pool}/image-{Guid.NewGuid():N}";
    private CephCluster ceph = null!;

    public async ValueTask InitializeAsync() => ceph = await Clusters.Ceph;

    [Fact]
    public async Task An_image_is_made_to_the_byte_listed_and_removed_with_a_key_from_standard_input()
    {
        await RealTools.RunAsync(ceph.AsClient("create", image, "--size", "67108865B"));
        Assert.Contains(Name(image), await ImagesAsync());
        Assert.Equal(67_108_865, (await JsonAsync("info", image)).GetProperty("size").GetInt64());
        await RealTools.RunAsync(ceph.AsClient("rm", "--no-progress", image));
        Assert.DoesNotContain(Name(image), await ImagesAsync());
    }

    [Fact]
    public async Task An_image_is_cloned_from_a_protected_snapshot_and_neither_goes_before_the_clone()
    {
        await RealTools.RunAsync(ceph.AsClient("create", image, "--size", "8M"));
        await RealTools.RunAsync(ceph.AsClient("snap", "create", "--no-progress", $"{image}@base"));
        await RealTools.RunAsync(ceph.AsClient("snap", "protect", $"{image}@base"));
        await RealTools.RunAsync(ceph.AsClient("clone", $"{image}@base", $"{image}-clone"));
        var parent = (await JsonAsync("info", $"{image}-clone")).GetProperty("parent");
        Assert.Equal((Name(image), "base"), (parent.GetProperty("image").GetString(), parent.GetProperty("snapshot").GetString()));
        await RefusedAsync(16, "snap", "unprotect", $"{image}@base");
        await RefusedAsync(39, "rm", "--no-progress", image);
        await RealTools.RunAsync(ceph.AsClient("rm", "--no-progress", $"{image}-clone"));
        await RealTools.RunAsync(ceph.AsClient("snap", "unprotect", $"{image}@base"));
        await RealTools.RunAsync(ceph.AsClient("snap", "purge", "--no-progress", image));
        await RealTools.RunAsync(ceph.AsClient("rm", "--no-progress", image));
    }

    [Fact]
    public async Task What_is_there_or_not_there_is_said_by_the_exit_code()
    {
        await RealTools.RunAsync(ceph.AsClient("create", image, "--size", "1M"));
        await RefusedAsync(17, "create", image, "--size", "1M");
        await RefusedAsync(22, "resize", image, "--size", "1B", "--no-progress");
        await RealTools.RunAsync(ceph.AsClient("rm", "--no-progress", image));
        await RefusedAsync(2, "info", image);
    }

    [Fact]
    public Task The_client_has_no_access_to_another_pool() => RefusedAsync(1, "ls", CephCluster.ClosedPool);

    [Fact]
    public async Task A_wrong_key_is_told_from_a_cluster_that_does_not_answer()
    {
        var refused = await RealTools.RunAsync(CephCluster.WithKey(await NewKeyAsync(), "ls", CephCluster.Pool) with { AcceptedExitCodes = [13] });
        Assert.Contains("handle_auth_bad_method", refused.Stderr, StringComparison.Ordinal);
        var nobody = ceph.AsClient("ls", CephCluster.Pool, "-m", "127.0.0.1:1", "--client-mount-timeout", "1");
        Assert.DoesNotContain("handle_auth", (await RealTools.RunAsync(nobody with { AcceptedExitCodes = [110] })).Stderr, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_cluster_says_its_capacity()
    {
        var space = JsonDocument.Parse(await RealTools.PrintedAsync(ceph.AsAdministrator("rados", "df", "--format", "json"))).RootElement;
        Assert.Equal(CephCluster.Capacity, space.GetProperty("total_space").GetInt64() * 1024);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static Task<string> NewKeyAsync() => RealTools.PrintedAsync(new HostCommand("ceph-authtool", "--gen-print-key"));

    private static string Name(string path) => path[(path.IndexOf('/', StringComparison.Ordinal) + 1)..];

    private async Task<string[]> ImagesAsync() => JsonSerializer.Deserialize<string[]>(await RealTools.PrintedAsync(ceph.AsClient("ls", CephCluster.Pool, "--format", "json")))!;

    private async Task<JsonElement> JsonAsync(params string[] arguments) =>
        JsonDocument.Parse(await RealTools.PrintedAsync(ceph.AsClient([.. arguments, "--format", "json"]))).RootElement;

    /// <summary>The tool ends with the number of the error.</summary>
    private async Task RefusedAsync(int error, params string[] arguments) =>
        Assert.Equal(error, (await RealTools.RunAsync(ceph.AsClient(arguments) with { AcceptedExitCodes = [error] })).ExitCode);
}
