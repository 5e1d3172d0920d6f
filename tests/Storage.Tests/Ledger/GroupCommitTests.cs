using Storage.Ledger;
using Xunit;

namespace Storage.Tests;

public sealed class GroupCommitTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task It_is_quiet_when_nothing_waits_and_nothing_is_being_written()
    {
        var (writing, written) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var commits = new GroupCommit<int, int>(
            async (batch, _) =>
            {
                writing.TrySetResult();
                await written.Task;
                return [.. batch.Select(item => new Outcome<int>(item, null))];
            },
            limit: 10);
        Assert.True(commits.QuietAsync().IsCompleted);

        var added = commits.AddAsync(1, TestContext.Current.CancellationToken);
        await writing.Task.WaitAsync(Patience, TestContext.Current.CancellationToken);
        var quiet = commits.QuietAsync();
        Assert.False(quiet.IsCompleted);

        written.SetResult();
        Assert.Equal(1, await added);
        await quiet.WaitAsync(Patience, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task One_that_cannot_be_written_does_not_spoil_the_others_of_its_batch()
    {
        var written = new List<int>();
        var first = new TaskCompletionSource();
        await using var commits = new GroupCommit<int, int>(
            async (batch, _) =>
            {
                if (batch.Contains(0))
                    await first.Task;
                if (batch.Contains(13))
                    throw new InvalidOperationException("13");
                written.AddRange(batch);
                return [.. batch.Select(item => new Outcome<int>(item, null))];
            },
            limit: 10);
        // While the first is being written, the others come to be one batch.
        Task<int>[] added = [.. new[] { 0, 1, 13, 2 }.Select(item => commits.AddAsync(item, TestContext.Current.CancellationToken))];
        first.SetResult();
        var others = await Task.WhenAll(added[0], added[1], added[3]);
        Assert.Equal([0, 1, 2], others);
        await Assert.ThrowsAsync<InvalidOperationException>(() => added[2]);
        Assert.Equal([0, 1, 2], written.Order());
    }
}
