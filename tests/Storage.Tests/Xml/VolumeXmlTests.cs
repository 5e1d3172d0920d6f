using Storage.Contracts;
using Xunit;

namespace Storage.Tests;

public sealed class VolumeXmlTests
{
    private static readonly PoolTypeInfo Dir = PoolTypes.Of(PoolType.Dir);
    private static readonly PoolTypeInfo Logical = PoolTypes.Of(PoolType.Logical);

    [Fact]
    public void A_document_in_any_order_is_written_in_libvirts()
    {
        const string document = """
            <volume type='file'>
              <backingStore><permissions><mode>0644</mode></permissions><format type='vmdk'/><path>/srv/base.vmdk</path></backingStore>
              <target>
                <features><extended_l2/><lazy_refcounts/></features><nocow/><clusterSize unit='KiB'>128</clusterSize>
                <encryption format='luks' engine='qemu'>
                  <ivgen hash='sha256' name='plain64'/><cipher size='256' hash='sha256' mode='cbc' name='serpent'/><secret usage='disk' type='passphrase'/>
                </encryption>
                <timestamps><atime>1</atime></timestamps><format type='qcow2'/><path>/srv/a.qcow2</path>
              </target>
              <physical>9</physical><allocation unit='GB'>1</allocation><capacity unit='TiB'>1</capacity><source><device path='/d'/></source>
              <key>/srv/a.qcow2</key><name>a.qcow2</name>
            </volume>
            """;
        const string written = """
            <volume type='file'>
              <name>a.qcow2</name>
              <key>/srv/a.qcow2</key>
              <capacity unit='bytes'>1099511627776</capacity>
              <allocation unit='bytes'>1000000000</allocation>
              <target>
                <path>/srv/a.qcow2</path>
                <format type='qcow2'/>
                <encryption format='luks' engine='qemu'>
                  <secret type='passphrase' usage='disk'/>
                  <cipher name='serpent' size='256' mode='cbc' hash='sha256'/>
                  <ivgen name='plain64' hash='sha256'/>
                </encryption>
                <compat>1.1</compat>
                <clusterSize unit='B'>131072</clusterSize>
                <features>
                  <lazy_refcounts/>
                  <extended_l2/>
                </features>
              </target>
              <backingStore>
                <path>/srv/base.vmdk</path>
                <format type='vmdk'/>
                <permissions>
                  <mode>0644</mode>
                </permissions>
              </backingStore>
            </volume>

            """;
        var read = VolumeXml.Read(document, Dir, strict: true);
        Assert.True(read.NoCow);
        Assert.Equal(written.ReplaceLineEndings("\n"), VolumeXml.Write(VolumeRules.Complete(Dir, read, VolumePurpose.Describe), Dir));
    }

    [Fact]
    public void An_observed_volume_is_written_with_what_the_host_said()
    {
        var at = DateTimeOffset.FromUnixTimeSeconds(1700000000);
        var volume = new VolumeDefinition
        {
            Name = "root",
            Key = "k",
            Type = VolumeKind.Block,
            Capacity = 3,
            Allocation = 2,
            Physical = 1,
            Path = "/dev/vg/root",
            Format = "raw",
            Timestamps = new Timestamps(at, at.AddTicks(1234567), at.AddTicks(10)),
            Extents = [new SourceExtent("/dev/vdb", 0, 8), new SourceExtent("/dev/vdb", 8, 16), new SourceExtent("/dev/vdc", 0, 4)],
        };
        const string written = """
            <volume type='block'>
              <name>root</name>
              <key>k</key>
              <source>
                <device path='/dev/vdb'>
                  <extent start='0' end='8'/>
                  <extent start='8' end='16'/>
                </device>
                <device path='/dev/vdc'>
                  <extent start='0' end='4'/>
                </device>
              </source>
              <capacity unit='bytes'>3</capacity>
              <allocation unit='bytes'>2</allocation>
              <physical unit='bytes'>1</physical>
              <target>
                <path>/dev/vg/root</path>
                <timestamps>
                  <atime>1700000000</atime>
                  <mtime>1700000000.123456700</mtime>
                  <ctime>1700000000.000001000</ctime>
                  <btime>0</btime>
                </timestamps>
              </target>
            </volume>

            """;
        Assert.Equal(written.ReplaceLineEndings("\n"), VolumeXml.Write(volume, Logical));
        Assert.Equal("root", VolumeXml.Read(written, Logical, strict: true).Name);
    }

    [Fact]
    public void An_image_with_an_empty_list_of_features_has_compat_1_1_and_keeps_the_list()
    {
        var volume = VolumeXml.Read("<volume><name>a</name><capacity>1</capacity><target><format type='qcow2'/><features/></target></volume>", Dir);
        var written = VolumeXml.Write(VolumeRules.Complete(Dir, volume), Dir);
        Assert.Contains("    <compat>1.1</compat>\n    <features/>\n", written, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("<capacity>10</capacity>", 10L)]
    [InlineData("<capacity unit=''> +10</capacity>", 10L)]
    [InlineData("<capacity unit='kb'>10</capacity>", 10_000L)]
    [InlineData("<capacity unit='G'>10</capacity>", 10L << 30)]
    [InlineData("<capacity>9223372036854775807</capacity>", long.MaxValue)]
    [InlineData("<capacity unit='GiB'></capacity>", null)]
    [InlineData("", null)]
    public void A_size_is_read_with_its_unit(string element, long? bytes) =>
        Assert.Equal(bytes, VolumeXml.Read($"<volume><name>a</name>{element}</volume>", Dir, purpose: VolumePurpose.Clone).Capacity);

    [Theory]
    [InlineData("<volume type='tape'><name>a</name></volume>", "volume/@type", ErrorCodes.UnsupportedConfiguration)]
    [InlineData("<volume/>", "volume/name")]
    [InlineData("<volume><name/></volume>", "volume/name")]
    [InlineData("<volume><name>a</name><capacity>-1</capacity></volume>", "volume/capacity")]
    [InlineData("<volume><name>a</name><capacity>1e3</capacity></volume>", "volume/capacity")]
    [InlineData("<volume><name>a</name><capacity>9223372036854775808</capacity></volume>", "volume/capacity", ErrorCodes.Overflow)]
    [InlineData("<volume><name>a</name><capacity>99999999999999999999</capacity></volume>", "volume/capacity")]
    [InlineData("<volume><name>a</name><allocation unit='EiB'>8</allocation></volume>", "volume/allocation", ErrorCodes.Overflow)]
    [InlineData("<volume><name>a</name><allocation unit='furlong'>8</allocation></volume>", "volume/allocation", ErrorCodes.InvalidArgument)]
    [InlineData("<volume><name>a</name><target><clusterSize>x</clusterSize></target></volume>", "volume/target/clusterSize")]
    [InlineData("<volume><name>a</name><target><permissions><mode>9</mode></permissions></target></volume>", "volume/target/permissions/mode")]
    [InlineData("<volume><name>a</name><target><encryption/></target></volume>", "volume/target/encryption/@format")]
    [InlineData("<volume><name>a</name><target><encryption format='luks'><cipher name='aes'/></encryption></target></volume>", "volume/target/encryption/cipher/@size")]
    [InlineData("<volume><name>a</name><target><encryption format='luks'><secret uuid='x'/></encryption></target></volume>", "volume/target/encryption/secret/@uuid")]
    public void A_document_is_refused_with_the_path_at_fault(string document, string field, string code = ErrorCodes.InvalidDefinition)
    {
        var error = Assert.Throws<StorageException>(() => VolumeXml.Read(document, Dir, purpose: VolumePurpose.Clone)).Error;
        Assert.Equal((code, field), (error.Code, error.Field));
    }

    [Fact]
    public void A_format_is_neither_read_nor_written_where_volumes_have_none()
    {
        var volume = VolumeXml.Read("<volume><name>a</name><capacity>1</capacity><target><format type='qcow2'/></target></volume>", Logical);
        Assert.Null(volume.Format);
        Assert.DoesNotContain("format", VolumeXml.Write(volume with { Format = "raw" }, Logical), StringComparison.Ordinal);
    }
}
