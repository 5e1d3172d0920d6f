using Xunit;

namespace Storage.IntegrationTests;

/// <summary>A tool that works for long and prints nothing is seen to get on.</summary>
[Trait(Servers.Trait, Servers.Any)]
public sealed class SilentToolTests(TestBackends backends)
{
    private const long Capacity = 8 << 20;

    [Fact]
    public async Task A_long_preallocation_tells_how_many_bytes_it_has_taken()
    {
        var folder = Directory.CreateTempSubdirectory("silent-tool-").FullName;
        try
        {
            var hold = Path.Combine(folder, "hold");
            var script = Path.Combine(folder, "qemu-img");
            await File.WriteAllTextAsync(script, $$"""
                #!/bin/sh
                # A stand-in that makes an image, and does not come back for as long as it is told to.
                {{UnreliableTool.Real}} "$@" || exit
                [ "${*#*preallocation=}" = "$*" ] || while [ -e {{hold}} ]; do sleep 0.1; done

                """, TestContext.Current.CancellationToken);
            File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            await File.WriteAllTextAsync(hold, "", TestContext.Current.CancellationToken);

            await using var fleet = await Fleet.StartAsync(backends, new FleetLayout
            {
                Environment = new Dictionary<string, string> { ["PATH"] = $"{folder}:{Environment.GetEnvironmentVariable("PATH")}" },
            });
            await new StorageUnderTest(fleet.Client, fleet.PoolPath).RunningPoolAsync("silent");
            var operation = await fleet.Client.SubmitAsync(
                HttpMethod.Post, "/v1/pools/silent/volumes", new { name = "disk.qcow2", capacity = Capacity, format = "qcow2", preallocation = "full" });
            await Eventually.HoldsAsync("the bytes to be told", async _ =>
                (await fleet.Client.ReadAsync($"/v1/operations/{operation}")).TryGetProperty("progress", out var progress)
                && progress.TryGetProperty("bytesDone", out var bytes) && bytes.GetInt64() >= Capacity);
            File.Delete(hold);
            Assert.Equal("succeeded", (await fleet.Client.EndOfAsync(operation)).GetProperty("state").GetString());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
