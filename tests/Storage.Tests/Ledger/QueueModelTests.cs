using CsCheck;
using Microsoft.EntityFrameworkCore;
using Storage.Contracts;
using Storage.Ledger;
using Xunit;

namespace Storage.Tests.Ledger;

/// <summary>Random histories on the real ledger, compared with <see cref="QueueModel"/> after every step.</summary>
public sealed class QueueModelTests(LedgerFixture ledger) : IClassFixture<LedgerFixture>
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);
    private static readonly string[] Volumes = ["a", "b", "c"];

    private static readonly Gen<Step[]> Histories = Gen.Select(
        Gen.Frequency(
            (6, Gen.Const(Act.OnVolume)), (3, Gen.Const(Act.OnPool)), (3, Gen.Const(Act.Clone)), (2, Gen.Const(Act.CreateMany)),
            (7, Gen.Const(Act.End)), (2, Gen.Const(Act.Cancel)), (1, Gen.Const(Act.Expire)), (1, Gen.Const(Act.Lose)), (2, Gen.Const(Act.Return))),
        Gen.Int[0, 1 << 20], Gen.Int[0, 1 << 20], Gen.Bool, (act, one, two, flag) => new Step(act, one, two, flag)).Array[20, 40];

    private QueueModel model = new();
    private readonly List<string> pools = [];
    private readonly Dictionary<Guid, string> ends = [];

    [Fact]
    public async Task Whatever_happens_the_right_ones_run_everybody_comes_to_one_end_and_the_lines_are_told_as_they_are()
    {
        ledger.Operations = ["CreateVolume", "CloneVolume", "DeleteVolume"];
        await ledger.AnnounceAsync();
        await Histories.SampleAsync(RunAsync, iter: 12, threads: 1);
    }

    private async Task RunAsync(Step[] history)
    {
        model = new QueueModel();
        pools.Clear();
        ends.Clear();
        await ledger.AnnounceAsync();
        await PoolAsync();
        await PoolAsync();
        foreach (var step in history)
        {
            await TakeAsync(step);
            await CompareAsync();
        }
        await TakeAsync(new Step(Act.Return, 0, 0, false));
        while (model.Live.Count > 0)
        {
            Assert.Contains(model.Live, entry => entry.Dispatched);
            await TakeAsync(new Step(Act.End, 0, 0, true));
            await CompareAsync();
        }
        foreach (var (operation, end) in ends)
            Assert.Equal([end], await ledger.EndsAsync(operation));
    }

    private async Task TakeAsync(Step step)
    {
        var pool = pools[step.One % pools.Count];
        var volume = Volumes[step.Two % Volumes.Length];
        switch (step.Act)
        {
            case Act.OnVolume:
                await AcceptAsync(new RefreshVolume(null, pool, volume), step.Flag, (pool, false), (At(pool, volume), true));
                break;
            case Act.OnPool:
                await AcceptAsync(new RefreshPool(null, pool), step.Flag, (pool, true));
                break;
            case Act.Clone:
                var (to, copy) = (pools[step.Two % pools.Count], $"copy{step.One % 2}");
                await AcceptAsync(new CloneVolume(null, to, LedgerFixture.Raw(copy), volume, pool), step.Flag,
                    (to, false), (At(to, copy), true), (pool, false), (At(pool, volume), false));
                break;
            case Act.CreateMany:
                await AcceptAsync(new CreateVolumes(null, pool, [LedgerFixture.Raw("copy0"), LedgerFixture.Raw("copy1")]), step.Flag,
                    (pool, false), (At(pool, "copy0"), true), (At(pool, "copy1"), true));
                break;
            case Act.End when model.Live.Where(entry => entry.Dispatched).ToList() is { Count: > 0 } running:
                await EndAsync(running[step.One % running.Count], step.Flag);
                break;
            case Act.Cancel when model.Live.Count > 0:
                await CancelAsync(model.Live[step.One % model.Live.Count]);
                break;
            case Act.Expire:
                ledger.Clock.Advance(Day + Day);
                await ledger.Get<LedgerDeadlines>().ExpireAsync(TestContext.Current.CancellationToken);
                foreach (var entry in model.Live.Where(entry => entry is { HasDeadline: true, Dispatched: false }))
                    ends[entry.Id] = nameof(OperationExpired);
                model.Expire();
                break;
            case Act.Lose when !model.WorkerLost:
                await ledger.LoseWorkerAsync();
                model.WorkerLost = true;
                break;
            case Act.Return:
                await ledger.AnnounceAsync();
                model.WorkerLost = false;
                model.Advance();
                break;
        }
    }

    private async Task AcceptAsync(ICommand command, bool expires, params (string Resource, bool Exclusive)[] claims)
    {
        var operation = await ledger.AcceptAsync(command, expires ? Day : null);
        // A clone within a pool claims it once.
        model.Add(new QueueModel.Entry(operation.Id, expires, [.. claims.Distinct()]));
    }

    private async Task EndAsync(QueueModel.Entry entry, bool succeeds)
    {
        var stopped = !succeeds && (entry.CancelRequested || entry.ExpiryRequested);
        await ledger.ReportAsync(stopped ? ledger.Cancelled(entry.Id) : succeeds ? ledger.Success(entry.Id) : ledger.Failure(entry.Id));
        ends[entry.Id] = stopped ? entry.EndWhenStopped : succeeds ? nameof(OperationSucceeded) : nameof(OperationFailed);
        model.End(entry);
    }

    private async Task CancelAsync(QueueModel.Entry entry)
    {
        await ledger.AcceptAsync(new CancelOperation(null, entry.Id));
        entry.CancelRequested = true;
        if (entry.Dispatched)
            return;
        ends[entry.Id] = nameof(OperationCancelled);
        model.End(entry);
    }

    private async Task CompareAsync()
    {
        var rows = await ledger.QueryAsync(db => db.Operations.Where(row => row.EndedAt == null).OrderBy(row => row.Sequence)
            .Select(row => new { row.Id, row.State }).ToListAsync());
        Assert.Equal(
            model.Live.Select(entry => (entry.Id, entry.Dispatched ? OperationState.Dispatched : OperationState.Queued)),
            rows.Select(row => (row.Id, row.State)));
        var queued = model.Live.Where(entry => !entry.Dispatched).ToList();
        var told = await ledger.QueryAsync(db => QueueLine.ReadAsync(
            db, [.. queued.Select(entry => entry.Id)], new Dictionary<string, double>(), TestContext.Current.CancellationToken));
        foreach (var entry in queued)
        {
            var before = model.Before(entry).Select(older => older.Id).ToList();
            var line = told.GetValueOrDefault(entry.Id, StandsBefore.Nothing);
            Assert.Equal(before.Count, line.Count);
            Assert.Equal(before.Take(QueueLine.Shown), line.First);
        }
    }

    private async Task PoolAsync()
    {
        var pool = await ledger.RunningPoolAsync(Guid.NewGuid().ToString());
        pools.Add(pool.ToString());
        foreach (var volume in Volumes)
            await ledger.ReportAsync(ledger.Event(new VolumeAppeared(pool, LedgerFixture.Raw(volume)), Resources.Volume(pool, volume)));
    }

    private static string At(string pool, string volume) => $"{pool}/{volume}";

    private enum Act
    {
        OnVolume,
        OnPool,
        Clone,
        CreateMany,
        End,
        Cancel,
        Expire,
        Lose,
        Return,
    }

    /// <param name="Flag">Has a deadline; as an end: succeeds.</param>
    private sealed record Step(Act Act, int One, int Two, bool Flag);
}
