using Storage.Contracts;
using Storage.Worker;
using Storage.Worker.File;
using Xunit;

namespace Storage.Tests;

/// <summary>Users of CIFS servers: what mount is told of them, and what is refused.</summary>
public sealed class CifsUserTests
{
    private static readonly PoolDefinition Share = new()
    {
        Type = PoolType.Netfs,
        Name = "share",
        Source = new PoolSource { Hosts = [new SourceHost("filer")], Dir = "a", Format = "cifs" },
        Target = new PoolTarget { Path = "/mnt/a" },
    };

    [Theory]
    [InlineData("jane", "username=jane")]
    [InlineData(@"OFFICE\jane doe", "username=jane doe,domain=OFFICE")]
    [InlineData("jane@office.example", "username=jane@office.example")]
    public void Mount_is_told_the_user_and_never_the_password(string user, string options) => Assert.Equal(
        $"-o|nodev,nosuid,noexec,nobrl,{options},seal|-t|cifs|//filer/a|/mnt/a",
        string.Join('|', NetfsProtocol.Of("cifs").Mount(PoolRules.Complete(With(user)) with { MountOptions = ["seal"] }).Arguments));

    [Theory]
    [InlineData("jane,uid=0")]
    [InlineData("jane%password")]
    [InlineData("office/jane")]
    [InlineData(@"OFFICE\")]
    [InlineData(@"\jane")]
    [InlineData(@"a\b\c")]
    [InlineData("a\nb")]
    [InlineData("")]
    public void A_name_that_would_say_more_than_a_user_is_refused(string user) =>
        Assert.Equal("source.auth.username", Assert.Throws<StorageException>(() => PoolRules.Complete(With(user))).Error.Field);

    [Theory]
    [InlineData("nfs", AuthKind.Cifs)]
    [InlineData("auto", AuthKind.Cifs)]
    [InlineData("cifs", AuthKind.Chap)]
    public void Users_of_cifs_and_its_servers_go_together(string format, AuthKind kind)
    {
        var pool = Share with { Source = Share.Source with { Format = format, Auth = new SourceAuth(kind, "jane", new SecretReference(Usage: "s")) } };
        var error = Assert.Throws<StorageException>(() => PoolRules.Complete(pool)).Error;
        Assert.Equal((ErrorCodes.UnsupportedConfiguration, "source.auth.type"), (error.Code, error.Field));
    }

    [Fact]
    public async Task The_password_is_that_of_the_pools_secret_and_a_guest_has_none()
    {
        using var password = await PasswordAsync(With("jane").Source, "pass,word");
        Assert.Equal("pass,word"u8.ToArray(), password!.Bytes.ToArray());
        Assert.Null(await PasswordAsync(Share.Source, "never asked for"));
    }

    [Theory]
    [InlineData("two\nlines")]
    [InlineData("zero\0")]
    public async Task A_password_that_mount_would_cut_off_is_refused(string password) => Assert.Equal(
        ErrorCodes.Unsupported, (await Assert.ThrowsAsync<StorageException>(() => PasswordAsync(With("jane").Source, password))).Error.Code);

    [Fact]
    public void A_call_with_a_password_shows_none_of_it()
    {
        using var password = SecretValue.Of("horse"u8);
        var command = CifsUser.With(NetfsProtocol.Of("cifs").Mount(With("jane")), password);
        Assert.DoesNotContain("horse", command.ToString() + string.Join(' ', command.Variables), StringComparison.Ordinal);
    }

    [Fact]
    public void The_xml_of_a_user_comes_back()
    {
        var xml = PoolXml.Write(PoolRules.Complete(With(@"OFFICE\jane") with { Uuid = Guid.NewGuid() }));
        Assert.Contains("<auth type='cifs' username='OFFICE\\jane'>", xml, StringComparison.Ordinal);
        Assert.Equal(With(@"OFFICE\jane").Source.Auth, PoolXml.Read(xml).Source.Auth);
    }

    private static PoolDefinition With(string user) =>
        Share with { Source = Share.Source with { Auth = new SourceAuth(AuthKind.Cifs, user, new SecretReference(Usage: "s")) } };

    private static Task<SecretValue?> PasswordAsync(PoolSource source, string password) => CifsUser.PasswordAsync(
        source,
        new Run(Guid.NewGuid(), false, _ => Task.CompletedTask, new Progress<OperationProgress>())
        {
            Secrets = (secret, _) => Task.FromResult(SecretValue.Of(System.Text.Encoding.UTF8.GetBytes(secret.Usage == "s" ? password : "another"))),
        },
        TestContext.Current.CancellationToken);
}
