using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.HostTests;

/// <summary>Pools of which one is on a mount that answers nothing, or has a tool that does nothing.</summary>
public sealed class HungMountTests : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(3);
    private readonly SleepingTools tools = new();
    private readonly DirPoolHost host;
    private readonly WorkerOnHost worker;
    private readonly PoolDefinition hung;
    private readonly PoolDefinition healthy;

    public HungMountTests()
    {
        host = new DirPoolHost(tools);
        worker = new WorkerOnHost(host.Backend, Limit);
        (hung, healthy) = (host.Defined("hung"), host.Defined("healthy"));
    }

    [Fact]
    public async Task Commands_on_a_mount_that_hangs_hold_up_no_other_pool_and_it_is_usable_again_when_the_mount_is()
    {
        await StartAsync();
        await LatenciesAsync("warm");
        var before = P99(await LatenciesAsync("before"));
        Task<StorageEvent>[] commands;
        using (SilentFileSystem.Mount(hung.Target.Path!))
        {
            commands = [.. Enumerable.Range(0, 8).Select(i => CreateAsync(hung, $"volume-{i}"))];
            await IsNotHeldUpAsync(before);
            foreach (var end in await Task.WhenAll(commands))
                Assert.Equal((ErrorCodes.Timeout, true), Refusal(end));
            Assert.Equal((ErrorCodes.Timeout, true), Refusal(await worker.RunAsync(hung, new RefreshPool(null, hung.Name!))));
            Assert.Equal(PoolState.Inaccessible, Read<PoolStateChanged>(worker.Events.Last(told => told.Type == nameof(PoolStateChanged))).State);
        }
        while ((await worker.RunAsync(hung, new RefreshPool(null, hung.Name!))).Type != nameof(OperationSucceeded))
        {
        }
        Assert.Equal(nameof(OperationSucceeded), (await CreateAsync(hung, "after")).Type);
        Assert.Equal(["after"], Directory.EnumerateFileSystemEntries(hung.Target.Path!).Select(Path.GetFileName));
    }

    [Fact]
    public async Task Tools_that_do_nothing_hold_up_no_other_pool_and_are_ended()
    {
        Requires.Tool(QemuImg.Name);
        tools.SleepFor(QemuImg.Name, hung.Target.Path!);
        await StartAsync();
        await LatenciesAsync("warm");
        var before = P99(await LatenciesAsync("before"));
        Task<StorageEvent>[] commands = [.. Enumerable.Range(0, 4).Select(i => worker.RunAsync(hung, new CreateVolume(
            null, hung.Name!, new VolumeDefinition { Name = $"volume-{i}", Capacity = 1 << 20, Format = "qcow2", Preallocation = Preallocation.Metadata })))];
        await tools.Sleeping;
        await IsNotHeldUpAsync(before);
        foreach (var end in await Task.WhenAll(commands))
            Assert.Equal((ErrorCodes.Timeout, QemuImg.Name), (Read<OperationFailed>(end).Error.Code, Read<OperationFailed>(end).Error.Tool));
        Assert.Empty(Directory.EnumerateFileSystemEntries(hung.Target.Path!));
    }

    [Fact]
    public async Task A_command_on_a_mount_that_hangs_can_be_cancelled()
    {
        await StartAsync();
        using var mount = SilentFileSystem.Mount(hung.Target.Path!);
        var id = Guid.NewGuid();
        var command = worker.RunAsync(hung, new RefreshPool(null, hung.Name!), id);
        await worker.IsRunningAsync(id);
        await worker.CancelAsync(id);
        Assert.Equal(nameof(OperationCancelled), (await command).Type);
    }

    public async ValueTask DisposeAsync()
    {
        await worker.DisposeAsync();
        host.Dispose();
    }

    /// <summary>The best of some measurements: what else the machine does only adds to them.</summary>
    private async Task IsNotHeldUpAsync(TimeSpan before)
    {
        var during = TimeSpan.MaxValue;
        for (var attempt = 0; attempt < 3 && during > before * 2; attempt++)
            during = P99(await LatenciesAsync($"during-{attempt}"));
        TestContext.Current.TestOutputHelper?.WriteLine($"p99 before {before}, during {during}");
        Assert.True(during <= before * 2, $"p99 was {before} before and is {during}.");
    }

    private static TimeSpan P99(TimeSpan[] latencies) => latencies.Order().ElementAt(latencies.Length * 99 / 100);

    private static T Read<T>(StorageEvent told) => told.Data.Deserialize<T>(StorageJson.Options)!;

    private static (string, bool) Refusal(StorageEvent end)
    {
        Assert.Equal(nameof(OperationFailed), end.Type);
        var error = Read<OperationFailed>(end).Error;
        Assert.StartsWith("The storage at ", error.Message, StringComparison.Ordinal);
        return (error.Code, error.Retryable);
    }

    private async Task StartAsync()
    {
        await worker.StartAsync();
        foreach (var pool in new[] { hung, healthy })
            await host.Backend.BuildAsync(pool, overwrite: false, DirPoolHost.NewRun(), TestContext.Current.CancellationToken);
    }

    private Task<StorageEvent> CreateAsync(PoolDefinition pool, string name) => worker.RunAsync(
        pool, new CreateVolume(null, pool.Name!, new VolumeDefinition { Name = name, Capacity = 4096, Allocation = 0 }));

    private async Task<TimeSpan[]> LatenciesAsync(string prefix)
    {
        var latencies = new TimeSpan[300];
        for (var i = 0; i < latencies.Length; i++)
        {
            var started = Stopwatch.GetTimestamp();
            Assert.Equal(nameof(OperationSucceeded), (await CreateAsync(healthy, $"{prefix}-{i}")).Type);
            latencies[i] = Stopwatch.GetElapsedTime(started);
        }
        return latencies;
    }

    /// <summary>The ordinary runner; what is called for a folder is a program that sleeps.</summary>
    private sealed class SleepingTools : IToolRunner
    {
        private readonly CliWrapToolRunner real = new(NullLogger<CliWrapToolRunner>.Instance);
        private readonly TaskCompletionSource sleeping = new(TaskCreationOptions.RunContinuationsAsynchronously);

        private string? folder;
        private string program = "";

        /// <summary>Ends when the first one is called.</summary>
        public Task Sleeping => sleeping.Task;

        public Task<ToolOutput> RunAsync(HostCommand command, CancellationToken cancellationToken)
        {
            if (folder is null || !command.Arguments.Any(argument => argument.Contains(folder, StringComparison.Ordinal)))
                return real.RunAsync(command, cancellationToken);
            sleeping.TrySetResult();
            return real.RunAsync(command with { Program = program, StallLimit = Limit * 2 }, cancellationToken);
        }

        public void SleepFor(string tool, string path)
        {
            (folder, program) = (path, Path.Combine(Directory.CreateDirectory($"{path}-tools").FullName, tool));
            File.WriteAllText(program, "#!/bin/sh\nexec sleep 3600\n");
            File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }
}
