using Xunit;

namespace Storage.HostTests;

/// <summary>The lab's packages come from where the machine's own do, however that is written.</summary>
public sealed class PackageSourceTests : IDisposable
{
    private readonly string etc = Directory.CreateTempSubdirectory("lab-sources-").FullName;

    public PackageSourceTests() => Directory.CreateDirectory(Path.Combine(etc, "apt/sources.list.d"));

    [Fact]
    public void One_line_sources_of_Debian_get_the_component_of_ZFS()
    {
        Release("debian", "bookworm");
        Write("apt/sources.list", """
            # the mirror
            deb http://mirror/debian bookworm main
            deb [arch=amd64 signed-by=/etc/own.gpg] https://mirror/security bookworm-security main contrib # with a remark
            deb http://mirror/debian bookworm-backports main
            deb-src http://mirror/debian bookworm main
            """);
        Write("apt/sources.list.d/docker.list", "deb [signed-by=/etc/docker.asc] https://docker/debian bookworm stable\n");
        Assert.Equal(
            [
                "deb [signed-by=/etc/own.gpg] https://mirror/security bookworm-security main contrib",
                "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://mirror/debian bookworm main contrib",
            ],
            Sources());
    }

    [Fact]
    public void Deb822_sources_of_Ubuntu_get_universe()
    {
        Release("ubuntu", "noble");
        Write("apt/sources.list.d/ubuntu.sources", """
            Types: deb deb-src
            # two of them
            URIs: http://mirror/ubuntu/
             http://other/ubuntu/
            Suites: noble noble-updates
            Components: main restricted

            Types: deb
            URIs: http://mirror/security/
            Suites: noble-security
            Components: main
            Signed-By: /usr/share/keyrings/own.gpg

            Enabled: no
            Types: deb
            URIs: http://off/
            Suites: noble
            Components: main
            """);
        Assert.Equal(
            [
                "deb [signed-by=/usr/share/keyrings/own.gpg] http://mirror/security/ noble-security main universe",
                "deb [signed-by=/usr/share/keyrings/ubuntu-archive-keyring.gpg] http://mirror/ubuntu/ noble main universe",
                "deb [signed-by=/usr/share/keyrings/ubuntu-archive-keyring.gpg] http://mirror/ubuntu/ noble-updates main universe",
                "deb [signed-by=/usr/share/keyrings/ubuntu-archive-keyring.gpg] http://other/ubuntu/ noble main universe",
                "deb [signed-by=/usr/share/keyrings/ubuntu-archive-keyring.gpg] http://other/ubuntu/ noble-updates main universe",
            ],
            Sources());
    }

    [Fact]
    public void A_machine_without_a_source_of_its_distribution_is_told_so()
    {
        Release("debian", "bookworm");
        Assert.Contains("names no source of Test", Assert.Throws<InvalidOperationException>(Sources).Message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(etc, recursive: true);

    private void Release(string id, string codename) => Write("os-release", $"ID={id}\nVERSION_CODENAME={codename}\nPRETTY_NAME=Test\n");

    private void Write(string path, string text) => File.WriteAllText(Path.Combine(etc, path), text + "\n");

    private IEnumerable<string> Sources() => HostProgram.Run(Lab.Program("sources"), etc).Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
