using System.Text.Json;
using Storage.Contracts;
using Xunit;

namespace Storage.HostTests;

/// <summary>Refreshes of a pool whose storage lets each file wait.</summary>
public sealed class SideBySideTests : IAsyncDisposable
{
    private const int Readers = 3;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly DirPoolHost host = new();
    private readonly WorkerOnHost worker;
    private readonly HeldOpens held = new();

    public SideBySideTests() => worker = new WorkerOnHost(host.Backend, Limit, Readers);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task As_many_files_are_read_at_once_as_there_are_readers_and_they_are_told_in_their_order()
    {
        const int Files = 1200;
        using var mount = await MountAsync(Files);
        var (id, refresh) = Refresh();
        await held.ReachAsync(Readers).WaitAsync(Patience, Cancellation);
        await worker.IsRunningAsync(id);
        Assert.Equal(Readers, held.Count);
        held.AnswerAll(newestFirst: true);
        Assert.Equal(nameof(OperationSucceeded), (await refresh).Type);
        Assert.Equal(Enumerable.Range(0, Files).Select(SteeredFileSystem.NameOf), Told(id).Select(volume => volume.Name));
        Assert.Equal(Files, held.Opened);
    }

    [Fact]
    public async Task No_more_is_read_ahead_of_a_file_that_lets_wait_than_is_said_and_all_readers_go_on_when_it_is_there()
    {
        held.Holds = request => request.File == 0;
        using var mount = await MountAsync(files: 600);
        var (id, refresh) = Refresh();
        // Whose it is may have taken up to seven more with it.
        await held.ReachOpenedAsync(256 - 7).WaitAsync(Patience, Cancellation);
        await worker.IsRunningAsync(id);
        Assert.InRange(held.Opened, 256 - 7, 256);
        Assert.Empty(Told(id));
        held.Holds = request => request.File >= 256;
        held.AnswerWaiting();
        await held.ReachAsync(Readers).WaitAsync(Patience, Cancellation);
        held.AnswerAll();
        Assert.Equal(nameof(OperationSucceeded), (await refresh).Type);
        Assert.Equal(600, Told(id).Count());
    }

    [Fact]
    public async Task A_refresh_of_which_only_a_thread_beside_it_hangs_is_abandoned()
    {
        held.Holds = request => request.Thread != held.Lister;
        using var mount = await MountAsync(files: 600);
        var (_, refresh) = Refresh();
        Assert.Equal(ErrorCodes.Timeout, ErrorOf(await refresh.WaitAsync(Patience, Cancellation)));
        Assert.InRange(held.Count, 1, Readers - 1);
    }

    [Fact]
    public async Task Readers_that_hang_are_replaced_by_none_and_hold_up_no_other_pool_and_are_back_when_the_storage_is()
    {
        var mount = await MountAsync(files: 100);
        using (mount)
        {
            Assert.Equal(ErrorCodes.Timeout, ErrorOf(await Refresh().End));
            Assert.Equal(Readers, held.Count);
            Assert.Equal(ErrorCodes.Timeout, ErrorOf(await Refresh().End));
            Assert.Equal(Readers + 1, held.Count);
            var healthy = host.Defined("healthy");
            await host.Backend.BuildAsync(healthy, overwrite: false, DirPoolHost.NewRun(), Cancellation);
            Assert.Equal(nameof(OperationSucceeded), (await worker.RunAsync(healthy, new RefreshPool(null, healthy.Name!))).Type);
            held.AnswerAll();
            while ((await Refresh().End).Type != nameof(OperationSucceeded))
            {
            }
            // What is known is looked at and not opened.
            held.Hold(FuseOperation.Lookup);
            var (id, refresh) = Refresh();
            await held.ReachAsync(Readers).WaitAsync(Patience, Cancellation);
            await worker.CancelAsync(id);
            Assert.Equal(nameof(OperationCancelled), (await refresh).Type);
            held.AnswerAll();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await worker.DisposeAsync();
        host.Dispose();
    }

    private async Task<SteeredFileSystem> MountAsync(int files)
    {
        await worker.StartAsync();
        await host.BuildAsync(Cancellation);
        return SteeredFileSystem.Mount(host.Path, files, held.Take);
    }

    private (Guid Id, Task<StorageEvent> End) Refresh()
    {
        var id = Guid.NewGuid();
        return (id, worker.RunAsync(host.Pool, new RefreshPool(null, host.Pool.Name!), id));
    }

    private IEnumerable<VolumeDefinition> Told(Guid operation) => worker.Events
        .Where(told => told.Type == nameof(VolumesObserved) && told.CommandId == operation)
        .SelectMany(told => told.Data.Deserialize<VolumesObserved>(StorageJson.Options)!.Volumes);

    private static string ErrorOf(StorageEvent end)
    {
        Assert.Equal(nameof(OperationFailed), end.Type);
        return end.Data.Deserialize<OperationFailed>(StorageJson.Options)!.Error.Code;
    }

    /// <summary>Keeps who opens files waiting, and counts what is opened.</summary>
    private sealed class HeldOpens
    {
        private readonly Lock gate = new();
        private readonly List<Action> waiting = [];
        private readonly List<(Func<bool> Reached, TaskCompletionSource Signal)> wanted = [];
        private FuseOperation held = FuseOperation.Open;
        private bool answersAll;

        /// <summary>Which are kept waiting.</summary>
        public Func<FuseRequest, bool> Holds { get; set; } = _ => true;

        /// <summary>The thread that has last opened the directory.</summary>
        public int Lister { get; private set; }

        public int Opened { get; private set; }

        public int Count
        {
            get
            {
                lock (gate)
                    return waiting.Count;
            }
        }

        public void Take(FuseRequest request)
        {
            lock (gate)
            {
                if (request.Kind == FuseOperation.OpenDirectory)
                    Lister = request.Thread;
                if (request.Kind == FuseOperation.Open)
                    Opened++;
                if (request.Kind == held && !answersAll && Holds(request))
                    waiting.Add(request.Answer);
                else
                    request.Answer();
                foreach (var (_, signal) in wanted.Where(want => want.Reached()))
                    signal.TrySetResult();
            }
        }

        public Task ReachAsync(int count) => WantAsync(() => waiting.Count >= count);

        public Task ReachOpenedAsync(int count) => WantAsync(() => Opened >= count);

        /// <summary>Those that wait, and all to come.</summary>
        public void AnswerAll(bool newestFirst = false)
        {
            lock (gate)
            {
                answersAll = true;
                if (newestFirst)
                    waiting.Reverse();
                AnswerWaiting();
            }
        }

        public void AnswerWaiting()
        {
            lock (gate)
            {
                foreach (var answer in waiting)
                    answer();
                waiting.Clear();
            }
        }

        /// <summary>Keeps waiting again, who asks for this.</summary>
        public void Hold(FuseOperation operation)
        {
            lock (gate)
                (held, answersAll) = (operation, false);
        }

        private Task WantAsync(Func<bool> reached)
        {
            var signal = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            lock (gate)
            {
                wanted.Add((reached, signal));
                if (reached())
                    signal.SetResult();
            }
            return signal.Task;
        }
    }
}
