using Storage.Worker;
using Xunit;

namespace Storage.Tests;

public sealed class ChangedNamesTests
{
    private readonly ChangedNames names = new();

    [Fact]
    public void Names_are_given_out_together_when_nothing_has_changed_for_half_a_second()
    {
        names.Add("a", At(0));
        names.Add("b", At(0.4));
        names.Add("a", At(0.4));
        Assert.Empty(Take(0.8)!);
        Assert.Equal(At(0.9), names.Due());
        Assert.Equal(["a", "b"], Take(0.9)!);
        Assert.Null(names.Due());
    }

    [Fact]
    public void What_changes_without_a_pause_is_given_out_after_two_seconds()
    {
        for (var i = 0; i < 20; i++)
            names.Add($"{i}", At(i * 0.1));
        Assert.Empty(Take(1.99)!);
        Assert.Equal(20, Take(2)!.Count);
    }

    [Fact]
    public void A_name_that_changes_all_the_time_is_given_out_every_ten_seconds()
    {
        var given = new List<double>();
        for (var i = 0; i <= 600; i++)
        {
            names.Add("busy", At(i * 0.1));
            if (Take(i * 0.1)!.Count > 0)
                given.Add(i * 0.1);
        }
        Assert.Equal(6, given.Count);
        Assert.All(given.Zip(given.Skip(1)), pair => Assert.True(pair.Second - pair.First >= 10 - 1e-9));
    }

    [Fact]
    public void The_last_change_of_a_name_that_rests_is_not_lost()
    {
        names.Add("a", At(0));
        Take(1);
        names.Add("a", At(2));
        names.Add("b", At(2));
        Assert.Equal(["b"], Take(3)!);
        Assert.Equal(At(11), names.Due());
        Assert.Equal(["a"], Take(11)!);
    }

    [Fact]
    public void More_names_than_the_most_are_everything_once()
    {
        for (var i = 0; i <= ChangedNames.Most; i++)
            names.Add($"{i}", At(0));
        names.Add("0", At(0.1));
        Assert.Null(Take(1));
        Assert.Null(names.Due());
    }

    [Fact]
    public void Everything_comes_again_after_ten_seconds_at_the_earliest()
    {
        names.AddAll(At(0));
        Assert.Null(Take(1));
        names.AddAll(At(2));
        Assert.Empty(Take(10.9)!);
        Assert.Null(Take(11));
    }

    [Fact]
    public void What_a_run_changes_is_put_off_until_it_has_ended_and_then_given_out_once()
    {
        names.Add("before", At(0));
        names.Begin(["before", "during"]);
        names.Add("during", At(0.1));
        names.Add("other", At(0.1));
        Assert.Equal(["other"], Take(100)!);
        names.End(["before", "during"], At(100));
        Assert.Equal(["before", "during"], Take(101)!);
        Assert.Null(names.Due());
    }

    [Fact]
    public void A_name_that_two_runs_change_waits_for_both()
    {
        names.Begin(["a"]);
        names.Begin(["a"]);
        names.Add("a", At(0));
        names.End(["a"], At(1));
        Assert.Null(names.Due());
        names.End(["a"], At(2));
        Assert.Equal(["a"], Take(3)!);
    }

    [Fact]
    public void A_change_by_others_right_after_a_run_need_not_wait_for_its_turn()
    {
        names.Begin(["a"]);
        names.Add("a", At(0));
        names.End(["a"], At(1));
        Take(2);
        names.Add("a", At(3));
        Assert.Equal(["a"], Take(4)!);
    }

    [Fact]
    public void However_much_our_own_runs_change_is_not_everything()
    {
        var ours = Enumerable.Range(0, ChangedNames.Most * 2).Select(i => $"{i}").ToList();
        names.Begin(ours);
        ours.ForEach(name => names.Add(name, At(0)));
        names.End(ours, At(1));
        names.Add("other", At(1));
        Assert.Equal(ours.Count + 1, Take(2)!.Count);
    }

    private static TimeSpan At(double seconds) => TimeSpan.FromSeconds(seconds);

    private List<string>? Take(double seconds) => names.Take(At(seconds)) is { } taken ? [.. taken.Order(StringComparer.Ordinal)] : null;
}
