using System.Xml.Linq;

namespace Storage.Tests;

/// <summary>Documents that have all that libvirt's schema allows, element by element and attribute by attribute.</summary>
internal static class SchemaDocuments
{
    public const string Target =
        "<target><path>/t</path><permissions><mode>0700</mode><owner>0</owner><group>-1</group><label>a_t</label></permissions></target>";

    private const string Common = """
        <name>p</name><uuid>6f1de4c7-5b0a-4d5c-9a55-0b6b1c1f7a01</uuid><capacity unit='bytes'>3</capacity><allocation unit='KiB'>2</allocation>
        <available unit='k'>1</available><features><cow state='no'/></features>
        """;

    private const string Maker = "<vendor name='v'/><product name='p'/>";
    private const string Hosts = "<host name='a.example.org' port='1'/><host name='2001:db8::1'/>";
    private const string Device = "<device path='/dev/vdb' part_separator='yes'><freeExtent start='1' end='2'/><freeExtent start='3' end='4'/></device>";
    private const string Auth = "<auth type='chap' username='u'><secret usage='s'/></auth>";
    private const string Initiator = "<initiator><iqn name='iqn.2026-01.org.example:me'/></initiator>";
    private const string MountOptions = "<fs:mount_opts><fs:option name='sync'/><fs:option name='ro'/></fs:mount_opts>";

    private const string FcHost = """
        <adapter type='fc_host' parent='scsi_host5' managed='no' parent_wwnn='20000000c9831b4b' parent_wwpn='20000000c9831b4c'
          parent_fabric_wwn='2002000573de9a81' wwnn='0x20000000c9831b4d' wwpn='20000000C9831B4E'/>
        """;

    private const string ParentAddress = """
        <adapter type='scsi_host'><parentaddr unique_id='1'>
          <address domain='0x0000' bus='0x0a' slot='0x1f' function='0x2' multifunction='off'/></parentaddr></adapter>
        """;

    public static IReadOnlyList<string> Pools { get; } =
    [
        Pool("dir", $"<source>{Maker}</source>{Target}"),
        Pool("fs", $"<source>{Device}<format type='xfs'/>{Maker}</source>{Target}{MountOptions}"),
        Pool("netfs", $"<source>{Hosts}<dir path='/d'/><format type='nfs'/><protocol ver='4.1'/>{Maker}</source>{MountOptions}{Target}"),
        Pool("netfs", $"<source>{Hosts}<format type='cifs'/><dir path='d'/>{Maker}</source>{Target}{MountOptions}"),
        Pool("logical", $"<source><name>vg</name>{Device}<device path='/dev/vdc'/><format type='lvm2'>{Maker}</format>{Maker}</source>{Target}"),
        Pool("disk", $"<source>{Device}<format type='gpt'>{Maker}</format>{Maker}</source>{Target}"),
        Pool("iscsi", $"<source>{Hosts}<device path='iqn.2026-01.org.example:a'/>{Initiator}{Auth}{Maker}</source>{Target}"),
        Pool("iscsi-direct", $"<source>{Hosts}<device path='iqn.2026-01.org.example:a'/>{Initiator}{Auth}</source>"),
        Pool("scsi", $"<source><adapter type='scsi_host' name='scsi_host1'/>{Maker}</source>{Target}"),
        Pool("scsi", $"<source>{ParentAddress}{Maker}</source>{Target}"),
        Pool("scsi", $"<source>{FcHost}{Maker}</source>{Target}"),
        Pool("mpath", $"<source/>{Target}"),
        Pool("rbd", $"<source><name>r</name>{Hosts}{Auth}</source><refresh><volume allocation='capacity'/></refresh>"
            + "<rbd:config_opts><rbd:option name='a' value='b'/><rbd:option name='c' value='d'/></rbd:config_opts>"),
        Pool("sheepdog", $"<source>{Hosts}<name>s</name></source>"),
        Pool("gluster", $"<source>{Hosts}<name>g</name><dir path='/d'/></source>"),
        Pool("zfs", $"<source><name>tank/a</name>{Device}</source>{Target}"),
        Pool("vstorage", $"<source><name>v</name></source>{Target}"),
    ];

    public const string Volume = """
        <volume type='file'>
          <name>a.qcow2</name><key>k</key>
          <source><device path='/dev/vdb'><extent start='0' end='1'/><extent start='2' end='3'/></device><device path='/dev/vdc'/></source>
          <capacity unit='GiB'>1</capacity><allocation unit='MB'>1</allocation><physical unit='b'>1</physical>
          <target>
            <path>/srv/a.qcow2</path><format type='qcow2'/>
            <permissions><mode>0600</mode><owner>0</owner><group>0</group><label>a_t</label></permissions>
            <timestamps><atime>1.5</atime><mtime>2</mtime><ctime>3</ctime><btime>0</btime></timestamps>
            <encryption format='luks' engine='qemu'>
              <secret type='passphrase' uuid='6f1de4c7-5b0a-4d5c-9a55-0b6b1c1f7a01'/><secret type='passphrase' usage='u'/>
              <cipher name='aes' size='256' mode='xts' hash='sha256'/><ivgen name='plain64' hash='sha256'/>
            </encryption>
            <compat>1.1</compat><nocow/><clusterSize unit='KiB'>64</clusterSize><features><lazy_refcounts/><extended_l2/></features>
          </target>
          <backingStore>
            <path>/srv/b</path><format type='raw'/><permissions><mode>0600</mode></permissions><timestamps><atime>1</atime></timestamps>
          </backingStore>
        </volume>
        """;

    /// <summary>The document once per element, each time with that element changed.</summary>
    public static IEnumerable<string> EachChanged(string document, Func<XElement, bool> chosen, Action<XElement> change)
    {
        for (var i = 0; i < XElement.Parse(document).DescendantsAndSelf().Count(); i++)
        {
            var copy = XElement.Parse(document);
            var element = copy.DescendantsAndSelf().ElementAt(i);
            if (!chosen(element))
                continue;
            change(element);
            yield return copy.ToString(SaveOptions.DisableFormatting);
        }
    }

    private static string Pool(string type, string rest) =>
        $"<pool type='{type}' xmlns:fs='http://libvirt.org/schemas/storagepool/fs/1.0' xmlns:rbd='http://libvirt.org/schemas/storagepool/rbd/1.0'>"
        + $"{Common}{rest}</pool>";
}
