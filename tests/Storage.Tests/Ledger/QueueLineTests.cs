using Microsoft.EntityFrameworkCore;
using Storage.Api;
using Storage.Contracts;
using Storage.Ledger;
using Xunit;

namespace Storage.Tests.Ledger;

/// <summary>What an operation shows of those before it; each test has a ledger of its own, since history is everybody's.</summary>
public sealed class QueueLineTests : IAsyncLifetime
{
    private readonly LedgerFixture ledger = new();
    private string pool = "";

    [Fact]
    public async Task The_position_counts_all_and_the_first_ten_are_named()
    {
        var creates = await CreateAsync(12);
        var refresh = await ledger.AcceptAsync(new RefreshPool(null, pool));
        var view = await ViewAsync(refresh.Id);
        Assert.Equal(12, view.Position);
        Assert.Equal(creates.Take(10), view.WaitsFor);
        Assert.Null((await ViewAsync(creates[0])).Position);
    }

    [Fact]
    public async Task An_operation_that_stands_before_another_on_many_volumes_counts_once()
    {
        var many = Enumerable.Range(0, 20).Select(i => LedgerFixture.Raw($"v{i}")).ToList();
        var before = new List<Guid>();
        for (var i = 0; i < 12; i++)
            before.Add((await ledger.AcceptAsync(new CreateVolumes(null, pool, many))).Id);
        var last = await ViewAsync((await ledger.AcceptAsync(new CreateVolumes(null, pool, many))).Id);
        Assert.Equal(12, last.Position);
        Assert.Equal(before.Take(10), last.WaitsFor);
    }

    [Fact]
    public async Task The_start_is_estimated_by_the_medians_of_those_before()
    {
        foreach (var seconds in new[] { 10, 30, 2000 })
            await TakesAsync((await CreateAsync(1))[0], seconds);
        var creates = await CreateAsync(3);
        var refresh = await ViewAsync((await ledger.AcceptAsync(new RefreshPool(null, pool))).Id);
        Assert.Equal(3, refresh.Position);
        Assert.InRange(refresh.EstimatedStartAt!.Value - ledger.Clock.GetUtcNow(), TimeSpan.FromSeconds(80), TimeSpan.FromSeconds(100));
        Assert.Null((await ViewAsync(creates[0])).EstimatedStartAt);
    }

    [Fact]
    public async Task Without_history_of_one_of_them_no_start_is_estimated()
    {
        await TakesAsync((await CreateAsync(1))[0], 10);
        await CreateAsync(1);
        var first = await ledger.AcceptAsync(new RefreshPool(null, pool));
        var second = await ledger.AcceptAsync(new RefreshPool(null, pool));
        Assert.NotNull((await ViewAsync(first.Id)).EstimatedStartAt);
        Assert.Null((await ViewAsync(second.Id)).EstimatedStartAt);
    }

    public async ValueTask InitializeAsync()
    {
        await ledger.InitializeAsync();
        pool = (await ledger.RunningPoolAsync("p")).ToString();
    }

    public ValueTask DisposeAsync() => ledger.DisposeAsync();

    private async Task<List<Guid>> CreateAsync(int count)
    {
        var ids = new List<Guid>();
        for (var i = 0; i < count; i++)
            ids.Add((await ledger.AcceptAsync(new CreateVolume(null, pool, LedgerFixture.Raw(Guid.NewGuid().ToString())))).Id);
        return ids;
    }

    private async Task TakesAsync(Guid operation, int seconds)
    {
        ledger.Clock.Advance(TimeSpan.FromSeconds(seconds));
        await ledger.ReportAsync(ledger.Success(operation));
    }

    private Task<OperationView> ViewAsync(Guid id) => ledger.QueryAsync(async db => await new OperationViews(new UsualDurations(ledger.Clock), ledger.Clock)
        .ViewAsync(db, await db.Operations.SingleAsync(row => row.Id == id), TestContext.Current.CancellationToken));
}
