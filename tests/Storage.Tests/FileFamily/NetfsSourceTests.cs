using Storage.Contracts;
using Storage.Worker.File;
using Xunit;

namespace Storage.Tests;

/// <summary>What servers say that they export.</summary>
public sealed class NetfsSourceTests
{
    private const string Volumes = """
        <?xml version="1.0" encoding="UTF-8" standalone="yes"?>
        <cliOutput>
          <opRet>0</opRet>
          <opErrno>0</opErrno>
          <opErrstr/>
          <volInfo><volumes>
            <volume><name>images</name><statusStr>Started</statusStr><bricks><brick>a:/b<name>a:/b</name></brick></bricks></volume>
            <volume><name>isos</name><statusStr>Created</statusStr></volume>
            <count>2</count>
          </volumes></volInfo>
        </cliOutput>
        """;

    [Theory]
    [InlineData("/exports/a *\n/exports/b 10.0.0.0/8,host\n", "/exports/a|/exports/b")]
    [InlineData("/with blanks  (everyone)\n", "/with blanks")]
    [InlineData("/closed\n", "/closed")]
    [InlineData("", "")]
    [InlineData("clnt_create: RPC: Program not registered\n", "")]
    public void Each_line_of_showmount_is_a_directory(string output, string directories) =>
        Assert.Equal(directories, string.Join('|', NetfsSources.ParseExports(output)));

    [Fact]
    public void The_volumes_of_gluster_are_found_by_their_names() => Assert.Equal(["images", "isos"], NetfsSources.ParseVolumes(Volumes));

    [Theory]
    [InlineData("Connection failed. Please check if gluster daemon is operational.\n")]
    [InlineData("<cliOutput><opRet>-1</opRet><opErrno>30806</opErrno><opErrstr>Volume does not exist</opErrstr></cliOutput>")]
    [InlineData("")]
    public void A_gluster_that_has_none_or_does_not_answer_gives_none(string output) => Assert.Empty(NetfsSources.ParseVolumes(output));

    [Theory]
    [InlineData("<!DOCTYPE a [<!ENTITY b 'c'>]><cliOutput/>")]
    [InlineData("<cliOutput><volInfo>")]
    public void What_is_no_document_of_gluster_is_an_error_of_the_tool(string output) =>
        Assert.Equal(ErrorCodes.ToolFailed, Assert.Throws<StorageException>(() => NetfsSources.ParseVolumes(output)).Error.Code);

    [Fact]
    public void The_tools_are_called_as_libvirt_calls_them()
    {
        Assert.Equal("--no-headers --exports filer", string.Join(' ', NetfsSources.ListExports("filer").Arguments));
        Assert.Equal("--xml --log-file=/dev/null volume info all --remote-host=filer", string.Join(' ', NetfsSources.ListVolumes("filer").Arguments));
    }
}
