using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.HostTests;

/// <summary>Files that the source of a copy names: only images of its pool are opened.</summary>
public sealed class ImageChainTests : IDisposable
{
    private const long Size = 4 << 20;

    private readonly DirPoolHost host = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/etc/passwd", "raw")]
    [InlineData("../outside", "raw")]
    [InlineData("content", null)]
    [InlineData("nbd://somewhere/x", "raw")]
    [InlineData("json:{\"driver\":\"null-co\"}", "raw")]
    [InlineData("content", "qcow2")]
    [InlineData("content", "luks")]
    public async Task What_a_header_names_is_not_opened_unless_it_is_an_image_of_the_pool(string backing, string? format)
    {
        await PrepareAsync();
        await File.WriteAllBytesAsync(Path.Combine(host.Path, "..", "outside"), new byte[Size], Cancellation);
        await host.ImportAsync(host.Path + "/content", "qcow2", "forged", Cancellation);
        Forge($"{host.Path}/forged", backing, format);
        Assert.Equal(backing, LocalVolumeFiles.Read(host.Path, "forged")!.BackingStore!.Path);
        foreach (var wanted in new[] { "qcow2", "raw" })
        {
            var error = await RefusedAsync(() => host.CloneAsync(new VolumeDefinition { Name = "copy", Format = wanted }, host.Source("forged"), Cancellation));
            Assert.Equal(ErrorCodes.Unsupported, error.Code);
        }
        Assert.Equal(["content", "forged"], host.Names);
    }

    [Fact]
    public async Task A_link_to_outside_the_pool_is_not_copied()
    {
        await PrepareAsync();
        File.CreateSymbolicLink($"{host.Path}/link", "/etc/passwd");
        Assert.Equal(ErrorCodes.Unsupported, (await RefusedAsync(() => host.CloneAsync(new VolumeDefinition { Name = "copy" }, host.Source("link"), Cancellation))).Code);
        Assert.Equal(ErrorCodes.VolumeNotFound, (await RefusedAsync(() => host.CloneAsync(new VolumeDefinition { Name = "copy" }, host.Source("gone"), Cancellation))).Code);
    }

    [Fact]
    public async Task An_image_with_its_data_in_another_file_is_refused()
    {
        await PrepareAsync();
        await host.Tools.RunAsync(
            new HostCommand(Requires.Tool("qemu-img"), "create", "-f", "qcow2", "-o", $"data_file={host.Path}/data", $"{host.Path}/split", "1M"), Cancellation);
        Assert.Equal(ErrorCodes.Unsupported, (await RefusedAsync(() => host.CloneAsync(new VolumeDefinition { Name = "copy" }, host.Source("split"), Cancellation))).Code);
    }

    public void Dispose() => host.Dispose();

    private static async Task<StorageError> RefusedAsync(Func<Task> action) => (await Assert.ThrowsAsync<StorageException>(action)).Error;

    /// <summary>Writes a backing file into a qcow2 header, as a guest can that has the file as its raw disk.</summary>
    private static void Forge(string path, string backing, string? format)
    {
        var bytes = File.ReadAllBytes(path);
        var name = System.Text.Encoding.UTF8.GetBytes(backing);
        var at = 0x1000;
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(8), (ulong)at);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(16), (uint)name.Length);
        name.CopyTo(bytes, at);
        var extensions = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(100));
        bytes.AsSpan(extensions, 64).Clear();
        if (format is not null)
        {
            System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(extensions), 0xE2792ACA);
            System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(extensions + 4), format.Length);
            System.Text.Encoding.UTF8.GetBytes(format).CopyTo(bytes, extensions + 8);
        }
        File.WriteAllBytes(path, bytes);
    }

    private async Task PrepareAsync()
    {
        Requires.Tool("qemu-img");
        await host.BuildAsync(Cancellation);
        SomeContent.Sparse($"{host.Path}/content", Size);
    }
}
