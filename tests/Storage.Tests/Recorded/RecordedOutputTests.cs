using Storage.Worker;
using Storage.Worker.File;
using Xunit;

namespace Storage.Tests;

/// <summary>What real tools printed, read by what reads it in the workers.</summary>
public sealed class RecordedOutputTests
{
    [Fact]
    public void Glusters_volumes_are_found() =>
        Assert.All(Recording.Of("gluster", "volumes"), said => Assert.Equal(["gv1"], NetfsSources.ParseVolumes(said.Output)));

    [Theory]
    [InlineData("missing")]
    [InlineData("no-server")]
    public void A_gluster_without_an_answer_has_no_volumes(string name) =>
        Assert.All(Recording.Of("gluster", name), said => Assert.Empty(NetfsSources.ParseVolumes(said.Output)));

    [Fact]
    public void Gluster_is_called_as_it_was_recorded() => Assert.All(
        Recording.Of("gluster", "volumes"),
        said => Assert.Equal(NetfsSources.ListVolumes("127.0.0.1").ToString(), said.Command));

    [Theory]
    [InlineData("nothing", "")]
    [InlineData("ext4", "ext4")]
    [InlineData("gpt", "gpt gpt PMBR")]
    [InlineData("msdos", "dos")]
    [InlineData("lvm2-member", "LVM2_member")]
    public void What_is_on_a_device_is_told(string name, string types) =>
        Assert.All(Recording.Of("wipefs", name), said => Assert.Equal(types, string.Join(' ', DeviceSignatures.Parse(said.Output))));
}
