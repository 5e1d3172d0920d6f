using System.Text.Json;
using CsCheck;
using Storage.Contracts;
using Xunit;

namespace Storage.HostTests;

/// <summary>Empty qcow2 images that are made in the worker, beside those that the host's qemu-img makes.</summary>
public sealed class Qcow2ImageTests : IDisposable
{
    private const long KiB = 1024;

    /// <summary>A tenth is too large for its clusters.</summary>
    private const double LargestShareRefused = 1 / 3.0;

    private static readonly Gen<(long Size, int Cluster, string? Compat, bool Lazy, bool Extended, string? Backing)> Options = Gen.Select(
        Gen.OneOf(Gen.Long[0, 1 << 20], Gen.Long[0, 1L << 34], Gen.Long[0, 1L << 44]), Gen.Int[9, 21], Gen.OneOf<string?>(null, "0.10", "1.1"), Gen.Bool, Gen.Bool,
        Gen.OneOf<string?>(null, "raw", "qcow2"),
        (size, bits, compat, lazy, extended, backing) =>
            (size, 1 << bits, compat, lazy && compat != "0.10", extended && compat != "0.10" && bits >= 14, backing));

    private readonly DirPoolHost host = new();
    private int made, refused;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_image_is_valid_and_told_of_as_the_hosts_tool_tells_of_its_own()
    {
        Requires.Tool("qemu-img");
        await host.Backend.BuildAsync(host.Pool, overwrite: false, DirPoolHost.NewRun(), Cancellation);
        await host.CreateAsync(new VolumeDefinition { Name = "base.raw", Capacity = 1 << 20 }, Cancellation);
        await host.CreateAsync(new VolumeDefinition { Name = "base.qcow2", Format = "qcow2", Capacity = 1 << 20 }, Cancellation);
        await Options.SampleAsync(options => RequireSameAsync(options.Size, options.Cluster, options.Compat, options.Lazy, options.Extended, options.Backing), iter: 60, threads: 1);
        Assert.True(refused <= made * LargestShareRefused, $"qemu-img refused {refused} of {made}: what is left shows little.");
    }

    [Fact]
    public async Task A_large_image_takes_next_to_nothing()
    {
        await host.Backend.BuildAsync(host.Pool, overwrite: false, DirPoolHost.NewRun(), Cancellation);
        var volume = await host.CreateAsync(new VolumeDefinition { Name = "v", Format = "qcow2", Capacity = 10L << 30 }, Cancellation);
        Assert.Equal(("qcow2", 10L << 30, "1.1"), (volume.Format, volume.Capacity!.Value, volume.Compat));
        Assert.Null(volume.Problem);
        Assert.True(volume.Allocation <= 256 * KiB);
    }

    public void Dispose() => host.Dispose();

    private async Task RequireSameAsync(long size, int cluster, string? compat, bool lazy, bool extended, string? backing)
    {
        List<string> features = [];
        if (lazy)
            features.Add("lazy_refcounts");
        if (extended)
            features.Add("extended_l2");
        var store = backing is null ? null : new BackingStore($"{host.Path}/base.{backing}", backing);
        var name = $"v{made++}";
        // A capacity of nothing would be the backing store's.
        var capacity = backing is null ? size : size + 1;
        VolumeDefinition volume;
        try
        {
            volume = await host.CreateAsync(
                new VolumeDefinition { Name = name, Format = "qcow2", Capacity = capacity, Compat = compat, ClusterSize = cluster, Features = features.Count == 0 ? null : features, BackingStore = store },
                Cancellation);
        }
        catch (StorageException e) when (e.Error.Tool == "qemu-img")
        {
            refused++; // Too large for such small clusters.
            return;
        }
        var options = new List<string> { $"compat={compat ?? "1.1"}", $"cluster_size={cluster}" };
        if (lazy)
            options.Add("lazy_refcounts=on");
        if (extended)
            options.Add("extended_l2=on");
        if (backing is not null)
            options.Add($"backing_fmt={backing}");
        string[] from = store is null ? [] : ["-b", store.Path, "-u"];
        HostProgram.Run("qemu-img", ["create", "-q", "-f", "qcow2", .. from, "-o", string.Join(',', options), $"{host.Path}/{name}.tool", $"{(capacity + KiB - 1) / KiB}K"]);
        HostProgram.Run("qemu-img", "check", "-q", "-f", "qcow2", $"{host.Path}/{name}");
        Assert.Null(volume.Problem);
        Assert.Equal(await InfoAsync(name + ".tool"), await InfoAsync(name));
        File.Delete($"{host.Path}/{name}");
        File.Delete($"{host.Path}/{name}.tool");
    }

    private async Task<string> InfoAsync(string name)
    {
        var info = await host.InfoAsync(name, Cancellation);
        return string.Join('\n', info.EnumerateObject().Where(part => part.Name is not "filename").Select(part => $"{part.Name}: {JsonSerializer.Serialize(part.Value)}"));
    }
}
