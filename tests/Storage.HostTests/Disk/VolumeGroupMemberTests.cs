using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.HostTests;

/// <summary>Whether a device is in a volume group, by what LVM says: only where it says that it does not know the device, that is in none.</summary>
public sealed class VolumeGroupMemberTests : IToolRunner
{
    private const string Device = "/dev/sdz";

    private ToolOutput said = new(0, "", "", TimeSpan.Zero);

    [Theory]
    [InlineData(0, """{"report":[{"pv":[{"vg_name":"guests"}]}]}""", "", "guests")]
    [InlineData(0, """{"report":[{"pv":[{"vg_name":""}]}]}""", "", null)]
    [InlineData(5, "", "  Failed to find physical volume \"/dev/sdz\".", null)]
    public async Task Its_group_is_what_LVM_says(int exitCode, string stdout, string stderr, string? group)
    {
        Requires.Tool("lvm");
        said = new ToolOutput(exitCode, stdout, stderr, TimeSpan.Zero);
        Assert.Equal(group, await new VolumeGroupMembers(this).GroupOfAsync(Device, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("  Cannot use /dev/sdz: device is rejected by filter config")]
    [InlineData("  /dev/sdz: read failed after 0 of 4096 at 0: Input/output error")]
    [InlineData("")]
    public async Task A_device_of_which_LVM_cannot_tell_is_not_taken_for_a_free_one(string stderr)
    {
        Requires.Tool("lvm");
        said = new ToolOutput(5, "", stderr, TimeSpan.Zero);
        var refused = await Assert.ThrowsAsync<StorageException>(() => new VolumeGroupMembers(this).GroupOfAsync(Device, TestContext.Current.CancellationToken));
        Assert.Equal((ErrorCodes.ToolFailed, Device), (refused.Error.Code, refused.Error.Resource));
    }

    public Task<ToolOutput> RunAsync(HostCommand command, CancellationToken cancellationToken) => Task.FromResult(said);
}
