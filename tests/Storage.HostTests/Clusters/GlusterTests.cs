using System.Runtime.InteropServices;
using Storage.Worker;
using Xunit;

namespace Storage.HostTests;

/// <summary>What a real Gluster offers: libgfapi, its own tool, and a mount of the same files.</summary>
[Trait("needs", "clusters")]
public sealed class GlusterTests : IAsyncLifetime
{
    private const int NoEntry = 2;
    private const int Exists = 17;

    private GlusterCluster gluster = null!;
    private string volume = "";

    public async ValueTask InitializeAsync()
    {
        gluster = await Clusters.Gluster;
        if (!NativeLibrary.TryLoad("libgfapi.so.0", out _))
            throw Requires.Missing("libgfapi is not installed");
        volume = await gluster.CreateVolumeAsync();
    }

    [Fact]
    public async Task What_is_written_through_libgfapi_is_read_through_a_mount()
    {
        byte[] content = [1, 2, 3, 4, 5];
        var files = GlusterFiles.Connect(GlusterCluster.Address, volume);
        files.Create("/one", content);
        Assert.Equal(Exists, Assert.Throws<IOException>(() => files.Create("/one", content)).HResult);
        var target = Directory.CreateDirectory(Path.Combine(gluster.Folder, $"at-{volume}")).FullName;
        await RealTools.RunAsync(Mounter.Command(Mounter.MountTool, ["-t", "glusterfs", $"{GlusterCluster.Address}:/{volume}", target]));
        try
        {
            Assert.Equal(("fuse.glusterfs", $"{GlusterCluster.Address}:/{volume}"), (MountTable.At(target)!.FileSystem, MountTable.At(target)!.Source));
            Assert.Equal(content, await File.ReadAllBytesAsync(Path.Combine(target, "one"), TestContext.Current.CancellationToken));
        }
        finally
        {
            HostProgram.Run("umount", target);
        }
        files.Delete("/one");
        Assert.Equal(NoEntry, Assert.Throws<IOException>(() => files.Delete("/one")).HResult);
    }

    [Fact]
    public void A_volume_that_is_not_there_is_said_at_once() =>
        Assert.Equal(NoEntry, Assert.Throws<IOException>(() => GlusterFiles.Connect(GlusterCluster.Address, "none")).HResult);

    public async ValueTask DisposeAsync()
    {
        if (volume.Length > 0)
            await gluster.DeleteVolumeAsync(volume);
    }
}
