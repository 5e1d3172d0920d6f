using System.Diagnostics;
using System.IO.MemoryMappedFiles;
using Storage.Contracts;
using Xunit;

namespace Storage.HostTests;

/// <summary>Who uses a volume is seen, by whatever means it is used.</summary>
public sealed class InUseTests : IDisposable
{
    private readonly DirPoolHost host = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Volume => $"{host.Path}/v";

    [Theory]
    [InlineData("v")]
    [InlineData("another-name")]
    public async Task A_process_that_has_it_open_is_named_under_whatever_name_it_opened_it(string opened)
    {
        await MakeAsync();
        if (opened != "v")
            HostProgram.Run("ln", Volume, $"{host.Path}/{opened}");
        using var process = Process.Start(new ProcessStartInfo("sh", ["-c", "exec 3<\"$0\"; echo open; exec sleep 600", $"{host.Path}/{opened}"])
        {
            RedirectStandardOutput = true,
        })!;
        try
        {
            Assert.Equal("open", await process.StandardOutput.ReadLineAsync(Cancellation));
            var error = await RefusedAsync();
            Assert.Contains($" is in use by ", error.Message, StringComparison.Ordinal);
            Assert.Contains($"({process.Id})", error.Message, StringComparison.Ordinal);
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync(Cancellation);
        }
        await host.Volumes.RequireUnusedAsync(host.Pool, "v", Cancellation);
    }

    [Fact]
    public async Task A_loop_device_that_is_made_of_it_is_named()
    {
        Requires.Root();
        Requires.Tool("losetup");
        await MakeAsync();
        var device = HostProgram.Run("losetup", "--find", "--show", Volume).Trim();
        try
        {
            Assert.EndsWith($"/v is in use by {device}.", (await RefusedAsync()).Message, StringComparison.Ordinal);
        }
        finally
        {
            HostProgram.Run("losetup", "--detach", device);
        }
        await host.Volumes.RequireUnusedAsync(host.Pool, "v", Cancellation);
    }

    [Fact]
    public async Task A_mapping_of_a_file_that_is_closed_again_is_seen()
    {
        await MakeAsync();
        using (MemoryMappedFile.CreateFromFile(Volume, FileMode.Open))
            Assert.Contains("a mapping of it", (await RefusedAsync()).Message, StringComparison.Ordinal);
        await host.Volumes.RequireUnusedAsync(host.Pool, "v", Cancellation);
    }

    [Fact]
    public async Task Nobody_uses_a_directory_or_what_is_not_there()
    {
        await host.BuildAsync(Cancellation);
        Directory.CreateDirectory($"{host.Path}/d");
        await host.Volumes.RequireUnusedAsync(host.Pool, "d", Cancellation);
        await host.Volumes.RequireUnusedAsync(host.Pool, "gone", Cancellation);
    }

    public void Dispose() => host.Dispose();

    private async Task MakeAsync()
    {
        await host.BuildAsync(Cancellation);
        SomeContent.Full(Volume, 1 << 20);
        await host.Volumes.RequireUnusedAsync(host.Pool, "v", Cancellation);
    }

    private async Task<StorageError> RefusedAsync()
    {
        var error = (await Assert.ThrowsAsync<StorageException>(() => host.Volumes.RequireUnusedAsync(host.Pool, "v", Cancellation))).Error;
        Assert.Equal(ErrorCodes.InUse, error.Code);
        return error;
    }
}
