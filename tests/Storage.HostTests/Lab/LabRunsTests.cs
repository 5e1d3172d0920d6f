using Storage.Contracts;
using Xunit;

namespace Storage.HostTests;

/// <summary>Another run of the tests beside this one, each with a VM, an agent in it and a broker, and what is left of it.</summary>
[Collection(Lab.Name)]
[Trait(Lab.Trait, Lab.Name)]
public sealed class LabRunsTests
{
    [Fact]
    public async Task Two_runs_do_not_disturb_each_other_and_one_that_is_killed_leaves_no_program_or_folder()
    {
        var host = await LabHost.RunningAsync();
        var other = await HeldRun.WithLabAsync();
        await WorkAsync(host);
        var found = other.Has.Found();
        foreach (var what in new[] { "program qemu-system-x86_64", "program beam.smp", "program epmd", "program ssh" })
            Assert.Contains(what, found);
        await other.KillAsync();
        await other.Has.GoneAsync();
        await WorkAsync(host);
    }

    private static async Task WorkAsync(HostUnderTest host)
    {
        using var pool = new DirectoryPool(host);
        foreach (var command in new ICommand[] { new BuildPool(null, pool.Definition.Name!), new StartPool(null, pool.Definition.Name!) })
            Assert.Equal(nameof(OperationSucceeded), (await host.RunAsync(pool.Definition, command)).Type);
    }
}
