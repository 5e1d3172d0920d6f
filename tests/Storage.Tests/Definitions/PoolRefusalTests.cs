using System.Text.Json;
using Storage.Contracts;
using Xunit;

namespace Storage.Tests;

/// <summary>The refusals of a pool definition, with code and field at fault. The definitions come as JSON, as clients send them.</summary>
public sealed class PoolRefusalTests
{
    private const string Fc = "\"type\":\"fc_host\",\"wwnn\":\"20000000c9831b4b\",\"wwpn\":\"20000000c9831b4c\"";
    private const string Nfs = "\"hosts\":[{\"name\":\"a\"}],\"dir\":\"/e\"";

    [Theory]
    [InlineData("logical", "\"source\":{\"name\":\"a/b\"}", "source.name")]
    [InlineData("logical", "\"source\":{\"name\":\"-f\"}", "source.name")]
    [InlineData("zfs", "\"source\":{\"name\":\"tank/../x\"}", "source.name")]
    [InlineData("zfs", "\"source\":{\"name\":\"tank//x\"}", "source.name")]
    [InlineData("zfs", "\"name\":null,\"source\":{\"name\":\"tank/x\"}", "name")]
    [InlineData("fs", "\"source\":{\"format\":\"ntfs\"}", "source.format", ErrorCodes.UnsupportedConfiguration)]
    [InlineData("netfs", "\"source\":{\"hosts\":[null]}", "source.hosts[0]")]
    [InlineData("netfs", "\"source\":{\"hosts\":[{\"name\":\"a\"},{\"name\":\"\"}]}", "source.hosts[1].name")]
    [InlineData("netfs", "\"source\":{\"hosts\":[{\"name\":\"-o\"}]}", "source.hosts[0].name")]
    [InlineData("netfs", "\"source\":{\"hosts\":[{\"name\":\"a b\"}]}", "source.hosts[0].name")]
    [InlineData("netfs", "\"source\":{\"hosts\":[{\"name\":\"[[::1]]\"}]}", "source.hosts[0].name")]
    [InlineData("netfs", "\"source\":{\"hosts\":[{\"name\":\"::1::\"}]}", "source.hosts[0].name")]
    [InlineData("netfs", "\"source\":{\"hosts\":[{\"name\":\"a\",\"port\":65536}]}", "source.hosts[0].port")]
    [InlineData("netfs", "\"source\":{\"hosts\":[{\"name\":\"a\",\"port\":-2}]}", "source.hosts[0].port")]
    [InlineData("netfs", "\"source\":{\"hosts\":[{\"name\":\"a\"}]}", "source.dir")]
    [InlineData("netfs", "\"source\":{\"hosts\":[{\"name\":\"a\"}],\"dir\":\"/e/../f\"}", "source.dir")]
    [InlineData("netfs", "\"source\":{" + Nfs + ",\"format\":\"cifs\",\"protocolVersion\":\"3\"}", "source.protocolVersion", ErrorCodes.UnsupportedConfiguration)]
    [InlineData("netfs", "\"source\":{" + Nfs + ",\"protocolVersion\":\"3,suid\"}", "source.protocolVersion")]
    [InlineData("netfs", "\"source\":{" + Nfs + "},\"copyOnWrite\":true", "copyOnWrite", ErrorCodes.Unsupported)]
    [InlineData("gluster", "\"source\":{\"hosts\":[{\"name\":\"a\"}],\"dir\":\"sub\"}", "source.dir")]
    [InlineData("fs", "\"source\":{\"devices\":[{\"path\":\"dev/vdb\"}]}", "source.devices[0].path")]
    [InlineData("fs", "\"source\":{\"devices\":[{\"path\":\"/dev/../etc\"}]}", "source.devices[0].path")]
    [InlineData("iscsi", "\"source\":{\"hosts\":[{\"name\":\"a\"}],\"devices\":[{\"path\":\"/dev/vdb\"}]}", "source.devices[0].path")]
    [InlineData("iscsi", "\"source\":{\"hosts\":[{\"name\":\"a\"}],\"initiator\":\"iqn.26-01.org/x\"}", "source.initiator")]
    [InlineData("iscsi-direct", "\"source\":{\"hosts\":[{\"name\":\"a\"}]}", "source.initiator", ErrorCodes.UnsupportedConfiguration)]
    [InlineData("dir", "\"source\":{\"auth\":{\"type\":\"chap\",\"username\":\"\",\"secret\":{\"usage\":\"u\"}}}", "source.auth.username")]
    [InlineData("dir", "\"source\":{\"auth\":{\"type\":9,\"username\":\"u\",\"secret\":{\"usage\":\"u\"}}}", "source.auth.type", ErrorCodes.UnsupportedConfiguration)]
    [InlineData("dir", "\"source\":{\"auth\":{\"type\":\"chap\",\"username\":\"u\",\"secret\":{}}}", "source.auth.secret")]
    [InlineData("dir", "\"source\":{\"auth\":{\"type\":\"chap\",\"username\":\"u\",\"secret\":{\"usage\":\"u\",\"uuid\":\"0d3e9c52-8b6f-4a38-9a1e-55a0c2f3b1d4\"}}}", "source.auth.secret")]
    [InlineData("dir", "\"source\":{\"vendor\":\"a\\u0000b\"}", "source.vendor")]
    [InlineData("dir", "\"source\":{\"product\":\"a\\nb\"}", "source.product")]
    [InlineData("dir", "\"uuid\":\"00000000-0000-0000-0000-000000000000\"", "uuid")]
    [InlineData("dir", "\"target\":{\"path\":\"//\"}", "target.path")]
    [InlineData("dir", "\"target\":{\"path\":\"/t\",\"permissions\":{\"owner\":-2}}", "target.permissions.owner")]
    [InlineData("dir", "\"target\":{\"path\":\"/t\",\"permissions\":{\"label\":\"a\\tb\"}}", "target.permissions.label")]
    [InlineData("dir", "\"refreshAllocation\":7", "refreshAllocation", ErrorCodes.UnsupportedConfiguration)]
    [InlineData("fs", "\"source\":{\"devices\":[{\"path\":\"/d\"}]},\"mountOptions\":[\"ro\",\"a,suid\"]", "mountOptions[1]")]
    [InlineData("fs", "\"source\":{\"devices\":[{\"path\":\"/d\"}]},\"mountOptions\":[\"\"]", "mountOptions[0]")]
    [InlineData("rbd", "\"source\":{\"name\":\"r\",\"hosts\":[{\"name\":\"a\"}]},\"configOptions\":[{\"name\":\"\",\"value\":\"v\"}]", "configOptions[0].name")]
    [InlineData("rbd", "\"source\":{\"name\":\"r\",\"hosts\":[{\"name\":\"a\"}]},\"configOptions\":[{\"name\":\"n\",\"value\":\"\"}]", "configOptions[0].value")]
    [InlineData("scsi", "\"source\":{}", "source.adapter")]
    [InlineData("scsi", "\"source\":{\"adapter\":{\"type\":\"scsi_host\"}}", "source.adapter")]
    [InlineData("scsi", "\"source\":{\"adapter\":{\"type\":\"scsi_host\",\"name\":\"../host1\"}}", "source.adapter.name")]
    [InlineData("scsi", "\"source\":{\"adapter\":{\"type\":\"scsi_host\",\"parentAddress\":{\"domain\":0,\"bus\":0,\"slot\":0,\"function\":0}}}", "source.adapter.parentAddress.uniqueId")]
    [InlineData("scsi", "\"source\":{\"adapter\":{\"type\":\"scsi_host\",\"parentAddress\":{\"domain\":0,\"bus\":256,\"slot\":0,\"function\":0,\"uniqueId\":1}}}", "source.adapter.parentAddress.bus")]
    [InlineData("scsi", "\"source\":{\"adapter\":{\"type\":\"scsi_host\",\"parentAddress\":{\"domain\":0,\"bus\":0,\"slot\":0,\"function\":8,\"uniqueId\":1}}}", "source.adapter.parentAddress.function")]
    [InlineData("scsi", "\"source\":{\"adapter\":{\"type\":\"fc_host\",\"wwpn\":\"20000000c9831b4c\"}}", "source.adapter.wwnn")]
    [InlineData("scsi", "\"source\":{\"adapter\":{\"type\":\"fc_host\",\"wwnn\":\"20000000c9831b4b\",\"wwpn\":\"2000\"}}", "source.adapter.wwpn")]
    [InlineData("scsi", "\"source\":{\"adapter\":{" + Fc + ",\"parentWwnn\":\"20000000c9831b4b\"}}", "source.adapter.parentWwpn")]
    [InlineData("scsi", "\"source\":{\"adapter\":{" + Fc + ",\"parent\":\"pci0\"}}", "source.adapter.parent")]
    public void A_definition_is_refused(string type, string members, string field, string code = ErrorCodes.InvalidDefinition)
    {
        var error = Assert.Throws<StorageException>(() => PoolRules.Complete(Pool(type, members))).Error;
        Assert.Equal((code, field), (error.Code, error.Field));
    }

    [Fact]
    public void A_type_that_is_none_is_refused()
    {
        var error = Assert.Throws<StorageException>(() => PoolRules.Complete(new PoolDefinition { Type = (PoolType)99, Name = "p" })).Error;
        Assert.Equal((ErrorCodes.InvalidDefinition, "type"), (error.Code, error.Field));
    }

    [Fact]
    public void What_a_type_has_no_use_for_is_left_out()
    {
        var pool = PoolRules.Complete(Pool(
            "rbd",
            "\"source\":{\"name\":\"r\",\"hosts\":[{\"name\":\"a\",\"port\":0}],\"dir\":\"/x\",\"format\":\"nfs\",\"devices\":[{\"path\":\"x\"}]},"
            + "\"target\":{\"path\":\"relative\"},\"mountOptions\":[\"a,b\"],\"configOptions\":[]"));
        Assert.Equal((null, null, null, null), (pool.Source.Dir, pool.Source.Format, pool.MountOptions, pool.ConfigOptions));
        Assert.Equal(new PoolTarget(), pool.Target);
        Assert.Empty(pool.Source.Devices);
        Assert.Null(Assert.Single(pool.Source.Hosts).Port);
    }

    [Theory]
    [InlineData(255, true)]
    [InlineData(256, false)]
    public void A_name_has_at_most_255_bytes(int bytes, bool accepted)
    {
        var error = Record.Exception(() => VolumeRules.CheckName(new string('a', bytes), "volume"));
        Assert.Equal(accepted ? null : "volume", (error as StorageException)?.Error.Field);
        Assert.Equal(accepted, error is null);
    }

    [Theory]
    [InlineData(4096, true)]
    [InlineData(4097, false)]
    public void A_path_has_at_most_4096_bytes(int bytes, bool accepted) =>
        Assert.Equal(accepted, Record.Exception(() => Paths.CheckAbsolute("/" + new string('a', bytes - 1), "path")) is null);

    [Theory]
    [InlineData("", "")]
    [InlineData("/", "/")]
    [InlineData("//", "//")]
    [InlineData("///", "/")]
    [InlineData("//a//b//", "//a/b")]
    [InlineData("a//b/", "a/b")]
    [InlineData("/a/../b", "/a/../b")]
    [InlineData("gluster://host//x/", "gluster://host//x/")]
    [InlineData("/a://b/", "/a:/b")]
    public void A_path_is_brought_into_libvirts_form(string path, string sanitised) => Assert.Equal(sanitised, Paths.Sanitise(path));

    private static PoolDefinition Pool(string type, string members)
    {
        var name = members.Contains("\"name\":null", StringComparison.Ordinal) ? "" : "\"name\":\"p\",";
        var target = members.Contains("\"target\"", StringComparison.Ordinal) ? "" : ",\"target\":{\"path\":\"/t\"}";
        return JsonSerializer.Deserialize<PoolDefinition>($"{{\"type\":\"{type}\",{name}{members}{target}}}", StorageJson.Strict)!;
    }
}
