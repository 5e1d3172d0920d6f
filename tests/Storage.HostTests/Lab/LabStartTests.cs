using Xunit;

namespace Storage.HostTests;

/// <summary>A host that is emulated is a slow one; the agent is there soon all the same.</summary>
[Collection(Lab.Name)]
[Trait(Lab.Trait, Lab.Name)]
public sealed class LabStartTests
{
    [Fact]
    public async Task The_agent_announces_itself_within_a_minute_of_its_start() =>
        Assert.InRange((await LabHost.RunningAsync()).AgentStart, TimeSpan.Zero, AgentHost.StartLimit);
}
