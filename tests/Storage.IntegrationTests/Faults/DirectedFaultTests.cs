using Xunit;

namespace Storage.IntegrationTests;

/// <summary>The faults that find a broken build find nothing in a sound one.</summary>
public sealed class DirectedFaultTests(TestBackends backends)
{
    [Fact]
    public async Task What_finds_a_missing_protection_finds_nothing_where_all_are_there()
    {
        var report = await new FaultRun(backends, "directed").RunAsync(async scene =>
        {
            foreach (var act in DirectedFaults.All.Values)
                await act(scene);
        });
        await report.WriteAsync();
        Assert.Empty(report.Violations);
    }
}
