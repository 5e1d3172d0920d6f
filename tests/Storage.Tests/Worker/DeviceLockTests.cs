using System.Diagnostics;
using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.Tests;

/// <summary>Locks on a file, which are as those on a device.</summary>
public sealed class DeviceLockTests : IDisposable
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    private readonly string file = Path.GetTempFileName();

    [Fact]
    public async Task One_who_finds_it_locked_is_told_that_it_is_in_use_once_the_time_is_over()
    {
        using var first = await TakeAsync(Long);
        var begun = Stopwatch.GetTimestamp();
        var refused = (await Assert.ThrowsAsync<StorageException>(() => TakeAsync(Short))).Error;
        Assert.InRange(Stopwatch.GetElapsedTime(begun), Short, Long);
        Assert.Equal((ErrorCodes.InUse, true, file), (refused.Code, refused.Retryable, refused.Resource));
        Assert.Contains("flock", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_who_waits_gets_it_when_it_is_let_go_and_not_before()
    {
        var first = await TakeAsync(Long);
        var second = TakeAsync(Long);
        await Task.Delay(Short, TestContext.Current.CancellationToken);
        Assert.False(second.IsCompleted);
        first.Dispose();
        (await second).Dispose();
    }

    [Fact]
    public async Task One_who_waits_can_be_cancelled_and_leaves_no_lock_behind()
    {
        using var cancelled = new CancellationTokenSource();
        Task<DeviceLock> second;
        using (await TakeAsync(Long))
        {
            second = DeviceLock.TakeAsync(file, Long, cancelled.Token);
            await cancelled.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        }
        (await TakeAsync(TimeSpan.Zero)).Dispose();
    }

    [Fact]
    public async Task What_is_not_there_is_not_waited_for()
    {
        var failed = await Assert.ThrowsAsync<StorageException>(() => DeviceLock.TakeAsync($"{file}-none", Long, TestContext.Current.CancellationToken));
        Assert.Equal(ErrorCodes.HostFailure, failed.Error.Code);
    }

    public void Dispose() => File.Delete(file);

    private Task<DeviceLock> TakeAsync(TimeSpan limit) => DeviceLock.TakeAsync(file, limit, TestContext.Current.CancellationToken);
}
