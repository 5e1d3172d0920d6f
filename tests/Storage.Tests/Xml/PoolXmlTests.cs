using Storage.Contracts;
using Xunit;

namespace Storage.Tests;

public sealed class PoolXmlTests
{
    /// <summary>A document that a client wrote, and what libvirt prints for it.</summary>
    public static TheoryData<string, string> Documents => new()
    {
        {
            """
            <pool type='dir'>
              <target><permissions><label>a_t</label><group>4294967295</group><owner>-1</owner><mode>0700</mode></permissions><path>///srv/////&lt;a&gt;//</path></target>
              <features><cow state='no'/></features><capacity unit='GiB'>7</capacity><uuid> 6F1DE4C7 5b0a-4d5c9a55 0b6b1c1f7a01 </uuid>
              <name>a&amp;"b"</name>
            </pool>
            """,
            """
            <pool type='dir'>
              <name>a&amp;&quot;b&quot;</name>
              <uuid>6f1de4c7-5b0a-4d5c-9a55-0b6b1c1f7a01</uuid>
              <capacity unit='bytes'>0</capacity>
              <allocation unit='bytes'>0</allocation>
              <available unit='bytes'>0</available>
              <features>
                <cow state='no'/>
              </features>
              <source>
              </source>
              <target>
                <path>/srv/&lt;a&gt;</path>
                <permissions>
                  <mode>0700</mode>
                  <label>a_t</label>
                </permissions>
              </target>
            </pool>

            """
        },
        {
            """
            <pool type='netfs' xmlns:m='http://libvirt.org/schemas/storagepool/fs/1.0'>
              <m:mount_opts><m:option name='sync'/><m:option name='lazytime'/></m:mount_opts>
              <name>n</name>
              <source><protocol ver='4.1'/><product name='P'/><vendor name='V'/><dir path='/exports/a/'/><host port='2049' name='filer'/></source>
              <target><path>/mnt/n</path><permissions><mode>0</mode><owner>0744</owner></permissions></target>
            </pool>
            """,
            """
            <pool type='netfs' xmlns:fs='http://libvirt.org/schemas/storagepool/fs/1.0'>
              <name>n</name>
              <capacity unit='bytes'>0</capacity>
              <allocation unit='bytes'>0</allocation>
              <available unit='bytes'>0</available>
              <source>
                <host name='filer' port='2049'/>
                <dir path='/exports/a'/>
                <format type='auto'/>
                <protocol ver='4.1'/>
                <vendor name='V'/>
                <product name='P'/>
              </source>
              <target>
                <path>/mnt/n</path>
                <permissions>
                  <mode>00</mode>
                  <owner>744</owner>
                </permissions>
              </target>
              <fs:mount_opts>
                <fs:option name='sync'/>
                <fs:option name='lazytime'/>
              </fs:mount_opts>
            </pool>

            """
        },
        {
            """
            <pool type='rbd' xmlns:rbd='http://libvirt.org/schemas/storagepool/rbd/1.0'>
              <source><name>vms</name><host name='2001:db8::1' port='6789'/><host name='mon' port='0'/></source>
              <refresh><volume allocation='capacity'/></refresh>
              <rbd:config_opts><rbd:option name='client_mount_timeout' value='45'/></rbd:config_opts>
            </pool>
            """,
            """
            <pool type='rbd' xmlns:rbd='http://libvirt.org/schemas/storagepool/rbd/1.0'>
              <name>vms</name>
              <capacity unit='bytes'>0</capacity>
              <allocation unit='bytes'>0</allocation>
              <available unit='bytes'>0</available>
              <source>
                <host name='2001:db8::1' port='6789'/>
                <host name='mon'/>
                <name>vms</name>
              </source>
              <refresh>
                <volume allocation='capacity'/>
              </refresh>
              <rbd:config_opts>
                <rbd:option name='client_mount_timeout' value='45'/>
              </rbd:config_opts>
            </pool>

            """
        },
    };

    [Theory]
    [MemberData(nameof(Documents))]
    public void A_document_in_any_order_is_written_in_libvirts(string document, string written) =>
        Assert.Equal(written.ReplaceLineEndings("\n"), PoolXml.Write(PoolRules.Complete(PoolXml.Read(document))));

    [Theory]
    [InlineData("scsi", "<adapter type='scsi_host' name='scsi_host3'/>", "<adapter type='scsi_host' name='scsi_host3'/>")]
    [InlineData(
        "scsi", "<adapter type='scsi_host'><parentaddr unique_id='1'><address function='2' slot='037' bus='0xA' domain='0'/></parentaddr></adapter>",
        "<adapter type='scsi_host'>|  <parentaddr unique_id='1'>|    <address domain='0x0000' bus='0x0a' slot='0x1f' function='0x2'/>|  </parentaddr>|</adapter>")]
    [InlineData(
        "scsi", "<adapter wwpn='20000000c9831b4c' wwnn='20000000c9831b4b' managed='yes' parent='scsi_host5' type='fc_host'/>",
        "<adapter type='fc_host' parent='scsi_host5' managed='yes' wwnn='20000000c9831b4b' wwpn='20000000c9831b4c'/>")]
    [InlineData(
        "scsi",
        "<adapter type='fc_host' parent_wwpn='0x20000000c9831b4d' parent_wwnn='20000000c9831b4e' parent_fabric_wwn='2002000573de9a81' wwnn='20000000c9831b4b' wwpn='20000000c9831b4c'/>",
        "<adapter type='fc_host' parent_wwnn='20000000c9831b4e' parent_wwpn='0x20000000c9831b4d' parent_fabric_wwn='2002000573de9a81' wwnn='20000000c9831b4b' wwpn='20000000c9831b4c'/>")]
    [InlineData("dir", "<auth username='u' type='chap'><secret usage='luns'/></auth>", "<auth type='chap' username='u'>|  <secret usage='luns'/>|</auth>")]
    [InlineData(
        "dir", "<auth username='u' type='ceph'><secret type='ceph' uuid='0D3E9C528B6F4A389A1E55A0C2F3B1D4'/></auth>",
        "<auth type='ceph' username='u'>|  <secret type='ceph' uuid='0d3e9c52-8b6f-4a38-9a1e-55a0c2f3b1d4'/>|</auth>")]
    [InlineData("disk", "<device part_separator='no' path='/dev/vdb'><freeExtent start='1' end='2'/></device>", "<device path='/dev/vdb' part_separator='no'/>|<format type='unknown'/>")]
    [InlineData("mpath", "<host name='ignored'/><name>ignored</name>", "")]
    public void A_part_of_the_source_is_written_in_libvirts_form(string type, string part, string written)
    {
        var pool = PoolRules.Complete(PoolXml.Read($"<pool type='{type}'><name>p</name><source>{part}</source><target><path>/t</path></target></pool>"));
        var lines = string.Concat(written.Split('|', StringSplitOptions.RemoveEmptyEntries).Select(line => $"  {line}\n"));
        Assert.Equal($"<source>\n{lines}</source>\n", PoolSourceXml.Write(pool.Source, PoolTypes.Find(type)!));
    }

    [Fact]
    public void Figures_and_free_extents_are_written_in_bytes()
    {
        var pool = new PoolDefinition
        {
            Type = PoolType.Disk,
            Name = "vdb",
            Source = new PoolSource { Devices = [new SourceDevice("/dev/vdb", null, [new FreeExtent(512, 1024), new FreeExtent(4096, 8192)])] },
            Target = new PoolTarget { Path = "/dev" },
        };
        var written = PoolXml.Write(pool, capacity: long.MaxValue, allocation: 2, available: 3);
        Assert.Contains("  <capacity unit='bytes'>9223372036854775807</capacity>\n  <allocation unit='bytes'>2</allocation>\n  <available unit='bytes'>3</available>\n", written, StringComparison.Ordinal);
        Assert.Contains(
            "    <device path='/dev/vdb'>\n      <freeExtent start='512' end='1024'/>\n      <freeExtent start='4096' end='8192'/>\n    </device>\n",
            written, StringComparison.Ordinal);
    }

    [Fact]
    public void What_XML_cannot_carry_is_dropped_so_that_the_document_stays_readable()
    {
        var pool = new PoolDefinition { Type = PoolType.Dir, Name = "a\u0001b\uFFFE\uD800c😀", Target = new PoolTarget { Path = "/t" } };
        Assert.Equal("abc😀", PoolXml.Read(PoolXml.Write(pool)).Name);
    }

    [Fact]
    public void Found_sources_are_written_as_a_list_and_read_again()
    {
        var type = PoolTypes.Of(PoolType.Netfs);
        IReadOnlyList<PoolSource> sources =
        [
            new() { Hosts = [new SourceHost("filer")], Dir = "/exports/a b", Format = "nfs" },
            new() { Hosts = [new SourceHost("filer")], Dir = "vol1", Format = "glusterfs" },
        ];
        var written = SourceListXml.Write(sources, type);
        Assert.StartsWith("<sources>\n  <source>\n    <host name='filer'/>\n    <dir path='/exports/a b'/>\n    <format type='nfs'/>\n  </source>\n", written, StringComparison.Ordinal);
        Assert.Equal(written, SourceListXml.Write(SourceListXml.Read(written, type), type));
        Assert.Equal("<sources>\n</sources>\n", SourceListXml.Write([], type));
    }

    [Fact]
    public void The_first_of_two_equal_elements_counts() =>
        Assert.Equal("first", PoolXml.Read("<pool type='dir'><name>first</name><name>second</name><target><path>/t</path></target></pool>").Name);

    [Theory]
    [InlineData("<pool/>", "pool/@type")]
    [InlineData("<pool type=''/>", "pool/@type")]
    [InlineData("<pool type='tape'/>", "pool/@type")]
    [InlineData("<pools type='dir'/>", "pools")]
    [InlineData("<pool type='dir'><name>p</name><target><path>/t</path></target><uuid>123</uuid></pool>", "pool/uuid")]
    [InlineData("<pool type='dir'><name>p</name><target><path>/t</path></target><uuid>6f1de4c7-5b0a-4d5c-9a55-0b6b1c1f7a0g</uuid></pool>", "pool/uuid")]
    [InlineData("<pool type='dir'><name>p</name><target><path>/t</path></target><features><cow state='on'/></features></pool>", "pool/features/cow/@state")]
    [InlineData("<pool type='dir'><name>p</name><target><path>/t</path><permissions><mode>0888</mode></permissions></target></pool>", "pool/target/permissions/mode")]
    [InlineData("<pool type='dir'><name>p</name><target><path>/t</path><permissions><mode>1777</mode></permissions></target></pool>", "pool/target/permissions/mode")]
    [InlineData("<pool type='dir'><name>p</name><target><path>/t</path><permissions><owner>root</owner></permissions></target></pool>", "pool/target/permissions/owner")]
    [InlineData("<pool type='dir'><name>p</name><target><path>/t</path><permissions><group>-2</group></permissions></target></pool>", "pool/target/permissions/group")]
    [InlineData("<pool type='netfs'><source><host name='a'/><host/></source></pool>", "pool/source/host[2]/@name")]
    [InlineData("<pool type='netfs'><source><host name='a' port='x'/></source></pool>", "pool/source/host/@port")]
    [InlineData("<pool type='fs'><source><device/></source></pool>", "pool/source/device/@path")]
    [InlineData("<pool type='disk'><source><device path='/d' part_separator='maybe'/></source></pool>", "pool/source/device/@part_separator")]
    [InlineData("<pool type='dir'><source><auth username='u'/></source></pool>", "pool/source/auth/@type", ErrorCodes.UnsupportedConfiguration)]
    [InlineData("<pool type='dir'><source><auth type='none' username='u'/></source></pool>", "pool/source/auth/@type", ErrorCodes.UnsupportedConfiguration)]
    [InlineData("<pool type='dir'><source><auth type='chap'/></source></pool>", "pool/source/auth/@username")]
    [InlineData("<pool type='dir'><source><auth type='chap' username='u'/></source></pool>", "pool/source/auth")]
    [InlineData("<pool type='dir'><source><auth type='chap' username='u'><secret uuid='1'/></auth></source></pool>", "pool/source/auth/secret/@uuid")]
    [InlineData("<pool type='scsi'><source><adapter/></source></pool>", "pool/source/adapter")]
    [InlineData("<pool type='scsi'><source><adapter name='host0' wwnn='1'/></source></pool>", "pool/source/adapter")]
    [InlineData("<pool type='scsi'><source><adapter type='default' name='host0'/></source></pool>", "pool/source/adapter/@type")]
    [InlineData("<pool type='scsi'><source><adapter type='scsi_host'><parentaddr/></adapter></source></pool>", "pool/source/adapter/parentaddr")]
    [InlineData("<pool type='scsi'><source><adapter type='scsi_host'><parentaddr><address bus='08'/></parentaddr></adapter></source></pool>", "pool/source/adapter/parentaddr/address/@bus")]
    [InlineData("<pool type='rbd'><source><name>r</name><host name='h'/></source><refresh><volume allocation='half'/></refresh></pool>", "pool/refresh/volume/@allocation", ErrorCodes.UnsupportedConfiguration)]
    [InlineData("<pool type='fs' xmlns:fs='http://libvirt.org/schemas/storagepool/fs/1.0'><name>p</name><source><device path='/d'/></source><target><path>/t</path></target><fs:mount_opts><fs:option name='a'/><fs:option/></fs:mount_opts></pool>", "pool/fs:mount_opts/fs:option[2]/@name")]
    [InlineData("<pool type='rbd' xmlns:rbd='http://libvirt.org/schemas/storagepool/rbd/1.0'><source><name>r</name><host name='h'/></source><rbd:config_opts><rbd:option name='a' value=''/></rbd:config_opts></pool>", "pool/rbd:config_opts/rbd:option/@value")]
    public void A_document_is_refused_with_the_path_at_fault(string document, string field, string code = ErrorCodes.InvalidDefinition)
    {
        var error = Assert.Throws<StorageException>(() => PoolXml.Read(document)).Error;
        Assert.Equal((code, field), (error.Code, error.Field));
    }
}
