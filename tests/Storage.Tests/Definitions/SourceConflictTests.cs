using Storage.Contracts;
using Xunit;

namespace Storage.Tests;

public sealed class SourceConflictTests
{
    private const string Iscsi = "<host name='a'/><device path='iqn.2026-01.org.example:disks'/>";
    private const string Initiator = "<initiator><iqn name='iqn.2026-01.org.example:me'/></initiator>";

    /// <summary>The wanted pool, the known one, and the field of the first that the second has too.</summary>
    public static TheoryData<string, string, string?> Pairs => new()
    {
        { Pool("dir"), Pool("dir"), "target.path" },
        { Pool("dir"), Pool("dir", target: "/other"), null },
        { Pool("dir", target: "//t"), Pool("dir"), "target.path" },
        { Pool("dir"), Pool("mpath"), null },
        { Pool("fs", "<device path='/dev/vdb'/>"), Pool("logical", "<device path='/dev/vda'/><device path='/dev/vdb'/>"), "source.devices[0].path" },
        { Pool("zfs", "<device path='/dev/vda'/><device path='/dev/vdb'/>"), Pool("disk", "<device path='/dev/vdb'/>"), "source.devices[1].path" },
        { Pool("zfs", "<device path='/dev/vda'/>"), Pool("disk", "<device path='/dev/vdb'/>"), null },
        { Pool("logical"), Pool("logical"), null },
        { Pool("netfs", "<host name='a'/><dir path='/e'/>"), Pool("netfs", "<host name='A'/><dir path='/e/'/>", "/other"), "source.dir" },
        { Pool("netfs", "<host name='a'/><dir path='/e'/>"), Pool("netfs", "<host name='b'/><dir path='/e'/>"), null },
        { Pool("netfs", "<host name='a'/><dir path='/e'/>"), Pool("netfs", "<host name='a'/><dir path='/f'/>"), null },
        { Pool("gluster", "<name>v</name><host name='a'/>"), Pool("gluster", "<name>v</name><host name='a'/><dir path='/'/>"), "source.name" },
        { Pool("gluster", "<name>v</name><host name='a'/>"), Pool("gluster", "<name>w</name><host name='a'/>"), null },
        { Pool("gluster", "<name>v</name><host name='a'/>"), Pool("netfs", "<host name='a'/><dir path='/'/>"), null },
        { Pool("sheepdog", "<host name='a'/>"), Pool("sheepdog", "<host name='a' port='7000'/>"), "source.hosts[0]" },
        { Pool("sheepdog", "<host name='a' port='7000'/>"), Pool("sheepdog", "<host name='a' port='7001'/>"), null },
        { Pool("sheepdog", "<host name='a'/><host name='b'/>"), Pool("sheepdog", "<host name='a'/><host name='b'/>"), null },
        { Pool("vstorage", "<name>c</name>"), Pool("vstorage", "<name>c</name>", "/other"), "source.name" },
        { Pool("mpath"), Pool("mpath", target: "/dev/other"), "type" },
        { Pool("iscsi", Iscsi), Pool("iscsi", Iscsi.Replace("'a'", "'b'", StringComparison.Ordinal)), "source.devices[0].path" },
        { Pool("iscsi", Iscsi), Pool("iscsi", Iscsi + Initiator), null },
        { Pool("iscsi", Iscsi + Initiator), Pool("iscsi", Iscsi + Initiator), "source.devices[0].path" },
        { Pool("iscsi-direct", Iscsi + Initiator), Pool("iscsi-direct", Iscsi + Initiator), null },
        { Pool("rbd", "<name>r</name><host name='a'/>"), Pool("rbd", "<name>r</name><host name='a'/>"), null },
        { Pool("scsi", "<adapter name='host3'/>"), Pool("scsi", "<adapter type='scsi_host' name='scsi_host3'/>"), "source.adapter" },
        { Pool("scsi", "<adapter name='host3'/>"), Pool("scsi", "<adapter name='host4'/>"), null },
        { Pool("scsi", Address(1)), Pool("scsi", Address(1)), "source.adapter" },
        { Pool("scsi", Address(1)), Pool("scsi", Address(2)), null },
        { Pool("scsi", Address(1)), Pool("scsi", "<adapter name='host3'/>"), null },
        { Pool("scsi", Fc("20000000c9831b4c")), Pool("scsi", Fc("0x20000000C9831B4C")), "source.adapter" },
        { Pool("scsi", Fc("20000000c9831b4c")), Pool("scsi", Fc("20000000c9831b4d")), null },
        { Pool("scsi", Fc("20000000c9831b4c")), Pool("scsi", "<adapter name='host5'/>"), "source.adapter" },
    };

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Pools_conflict_when_all_that_identifies_their_source_is_the_same(string wanted, string known, string? field)
    {
        var (first, second) = (PoolRules.Complete(PoolXml.Read(wanted)), PoolRules.Complete(PoolXml.Read(known)));
        Assert.Equal(field, SourceConflict.FindField(first, second));
        Assert.Equal(field is not null, SourceConflict.Conflicts(first, second));
    }

    private static string Pool(string type, string source = "", string target = "/t") =>
        $"<pool type='{type}'><name>p</name><source>{source}</source><target><path>{target}</path></target></pool>";

    private static string Address(int uniqueId) =>
        $"<adapter type='scsi_host'><parentaddr unique_id='{uniqueId}'><address slot='0x1f'/></parentaddr></adapter>";

    private static string Fc(string wwpn) => $"<adapter type='fc_host' parent='scsi_host5' wwnn='20000000c9831b4b' wwpn='{wwpn}'/>";
}
