namespace Storage.Benchmarks.Codec;

/// <summary>A volume and a pool as clients send and get them.</summary>
internal static class Documents
{
    public const string Volume = """
        <volume type='file'>
          <name>server-01.qcow2</name>
          <key>/srv/images/server-01.qcow2</key>
          <capacity unit='bytes'>42949672960</capacity>
          <allocation unit='bytes'>2147483648</allocation>
          <target>
            <path>/srv/images/server-01.qcow2</path>
            <format type='qcow2'/>
            <permissions>
              <mode>0600</mode>
              <owner>107</owner>
              <group>107</group>
            </permissions>
            <timestamps>
              <atime>1700000000.123456789</atime>
              <mtime>1700000000.123456789</mtime>
              <ctime>1700000000.123456789</ctime>
            </timestamps>
            <compat>1.1</compat>
            <clusterSize unit='B'>65536</clusterSize>
            <features>
              <lazy_refcounts/>
            </features>
          </target>
          <backingStore>
            <path>/srv/images/debian-12.qcow2</path>
            <format type='qcow2'/>
          </backingStore>
        </volume>
        """;

    public const string Pool = """
        <pool type='netfs'>
          <name>images</name>
          <uuid>6f1de4c7-5b0a-4d5c-9a55-0b6b1c1f7a01</uuid>
          <capacity unit='bytes'>1099511627776</capacity>
          <allocation unit='bytes'>549755813888</allocation>
          <available unit='bytes'>549755813888</available>
          <source>
            <host name='filer.example.org'/>
            <dir path='/exports/images'/>
            <format type='nfs'/>
            <protocol ver='4.1'/>
          </source>
          <target>
            <path>/srv/images</path>
            <permissions>
              <mode>0755</mode>
              <owner>0</owner>
              <group>0</group>
            </permissions>
          </target>
        </pool>
        """;
}
