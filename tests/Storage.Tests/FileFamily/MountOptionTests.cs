using Storage.Contracts;
using Xunit;

namespace Storage.Tests;

/// <summary>Mount options: those that do no harm, and no others.</summary>
public sealed class MountOptionTests
{
    [Theory]
    [InlineData("ext4", "data=ordered")]
    [InlineData("ext4", "noatime")]
    [InlineData("xfs", "logbsize=256k")]
    [InlineData("nfs", "soft")]
    [InlineData("nfs", "timeo=50")]
    [InlineData("glusterfs", "backup-volfile-servers=a:b")]
    [InlineData("cifs", "vers=3.1.1")]
    [InlineData("auto", "compress=zstd:3")]
    [InlineData("auto", "uid=5")]
    public void A_known_option_is_accepted(string format, string option) => MountOptionRules.Check(format, option, "mountOptions[0]");

    [Theory]
    [InlineData("ext4", "suid")]
    [InlineData("ext4", "dev")]
    [InlineData("ext4", "exec")]
    [InlineData("auto", "user")]
    [InlineData("auto", "bind")]
    [InlineData("auto", "loop")]
    [InlineData("auto", "remount")]
    [InlineData("auto", "x-systemd.automount")]
    [InlineData("nfs", "bg")]
    [InlineData("cifs", "password=secret")]
    [InlineData("cifs", "credentials=/etc/shadow")]
    [InlineData("glusterfs", "log-file=/etc/passwd")]
    [InlineData("ext4", "soft")]
    [InlineData("ext4", "ro,suid")]
    [InlineData("ext4", "")]
    [InlineData("ext4", "-o")]
    public void Any_other_one_is_refused_with_its_place(string format, string option)
    {
        var error = Assert.Throws<StorageException>(() => MountOptionRules.Check(format, option, "mountOptions[0]")).Error;
        Assert.Equal((ErrorCodes.InvalidDefinition, "mountOptions[0]"), (error.Code, error.Field));
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
    }
}
