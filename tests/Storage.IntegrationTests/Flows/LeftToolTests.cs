using Xunit;

namespace Storage.IntegrationTests;

/// <summary>A worker that is killed leaves its tools running; they must not go on beside the run that begins anew.</summary>
[Trait(Servers.Trait, Servers.Any)]
public sealed class LeftToolTests(TestBackends backends)
{
    [Fact]
    public async Task The_tool_of_a_killed_worker_is_ended_before_its_run_goes_on()
    {
        var folder = Directory.CreateTempSubdirectory("left-tool-").FullName;
        try
        {
            var (hangs, process) = (Path.Combine(folder, "hangs"), Path.Combine(folder, "process"));
            var script = Path.Combine(folder, "qemu-img");
            await File.WriteAllTextAsync(script, $$"""
                #!/bin/sh
                # A stand-in that hangs instead of making an image, for as long as it is told to.
                if [ -e {{hangs}} ] && [ "${*#*preallocation=}" != "$*" ]; then
                  echo $$ >{{process}}.part; mv {{process}}.part {{process}}; exec sleep 1000
                fi
                exec {{UnreliableTool.Real}} "$@"

                """, TestContext.Current.CancellationToken);
            File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            await File.WriteAllTextAsync(hangs, "", TestContext.Current.CancellationToken);

            await using var fleet = await Fleet.StartAsync(backends, new FleetLayout
            {
                Environment = new Dictionary<string, string> { ["PATH"] = $"{folder}:{Environment.GetEnvironmentVariable("PATH")}" },
            });
            var storage = new StorageUnderTest(fleet.Client, fleet.PoolPath);
            var path = await storage.RunningPoolAsync("left");
            var operation = await fleet.Client.SubmitAsync(
                HttpMethod.Post, "/v1/pools/left/volumes", new { name = "disk.qcow2", capacity = 1 << 20, format = "qcow2", preallocation = "metadata" });
            var tool = await Eventually.GetAsync("the tool", async token => File.Exists(process) ? (await File.ReadAllTextAsync(process, token)).Trim() : null);
            await fleet.Workers[0].KillAsync();
            Assert.True(HostProcesses.IsAlive(tool), "It ended with its worker: this shows nothing.");
            File.Delete(hangs);
            await fleet.Workers[0].StartAsync();

            Assert.Equal("succeeded", (await fleet.Client.EndOfAsync(operation)).GetProperty("state").GetString());
            Assert.False(HostProcesses.IsAlive(tool));
            Assert.Equal(["disk.qcow2"], StorageUnderTest.FilesIn(path));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
