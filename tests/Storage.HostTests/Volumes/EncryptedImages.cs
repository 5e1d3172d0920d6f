using Storage.Worker;
using Xunit;

namespace Storage.HostTests;

/// <summary>
/// Encrypted images with some content, made once by qemu-img itself with few iterations of its key derivation: each that is made else takes
/// seconds of a processor.
/// </summary>
public sealed class EncryptedImages : IAsyncLifetime
{
    public const string Passphrase = "correct horse, battery staple";
    public const long Size = 2 << 20;

    private readonly QemuImage images = new();

    public string Content => images.PathOf("content");

    public async ValueTask InitializeAsync()
    {
        if (ToolPath.Find("qemu-img") is not { } tool)
            return;
        SomeContent.Sparse(Content, Size);
        await File.WriteAllTextAsync(images.PathOf("key"), Passphrase);
        foreach (var (format, driver, prefix) in new[] { ("raw", "luks", ""), ("qcow2", "qcow2", "encrypt.") })
        {
            string[] secret = ["--object", $"secret,id=s,file={images.PathOf("key")}"];
            var options = $"{(prefix.Length > 0 ? $"{prefix}format=luks," : "")}{prefix}key-secret=s,{prefix}iter-time=10";
            await images.RunAsync(
                new HostCommand(tool, ["create", "-f", driver, .. secret, "-o", options, images.PathOf(format), $"{Size}"]), CancellationToken.None);
            await images.RunAsync(
                new HostCommand(tool, ["convert", "-n", "-f", "raw", .. secret, "--target-image-opts", Content, $"driver={driver},{prefix}key-secret=s,file.filename={images.PathOf(format)}"]),
                CancellationToken.None);
        }
    }

    /// <summary>A copy of the one of this format.</summary>
    public void Put(string format, string path) => File.Copy(images.PathOf(format), path);

    public ValueTask DisposeAsync()
    {
        images.Dispose();
        return ValueTask.CompletedTask;
    }
}
