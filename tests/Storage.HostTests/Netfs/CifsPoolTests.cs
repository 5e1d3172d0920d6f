using Microsoft.Extensions.Logging.Abstractions;
using Storage.Contracts;
using Storage.Worker;
using Storage.Worker.File;
using Xunit;

namespace Storage.HostTests;

/// <summary>How a share is mounted for a user, by a stand-in for mount.</summary>
public sealed class CifsPoolTests : IDisposable
{
    private const string Password = "pass,word %$HOME";

    private readonly string folder = Directory.CreateTempSubdirectory("cifs-").FullName;
    private readonly CliWrapToolRunner tools = new(NullLogger<CliWrapToolRunner>.Instance);
    private readonly QemuImg qemuImg;

    public CifsPoolTests() => qemuImg = new QemuImg(tools);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_password_comes_by_the_standard_input_and_is_nowhere_else()
    {
        Requires.Root();
        using var mount = new StandInMount();
        var (backend, pool) = (Backend(), Pool(new SourceAuth(AuthKind.Cifs, @"OFFICE\jane", new SecretReference(Usage: "share"))));
        await backend.StartAsync(pool, NewRun(), Cancellation);
        try
        {
            Assert.Equal($"-o\nnodev,nosuid,noexec,nobrl,username=jane,domain=OFFICE\n-t\ncifs\n//filer/a\n{folder}\n", mount.Told("arguments"));
            Assert.Equal(("0", Password), (mount.Told("descriptor"), mount.Told("input")));
            Assert.DoesNotContain(Password, mount.Told("environment"), StringComparison.Ordinal);
            // It is mounted, so that nobody is asked.
            await backend.StartAsync(pool, NewRun(null), Cancellation);
        }
        finally
        {
            await backend.StopAsync(pool, NewRun(), Cancellation);
        }
    }

    [Fact]
    public async Task A_guest_has_no_password()
    {
        Requires.Root();
        using var mount = new StandInMount();
        var (backend, pool) = (Backend(), Pool(null));
        await backend.StartAsync(pool, NewRun(null), Cancellation);
        await backend.StopAsync(pool, NewRun(), Cancellation);
        Assert.StartsWith("-o\nnodev,nosuid,noexec,nobrl,guest\n-t\ncifs\n", mount.Told("arguments"), StringComparison.Ordinal);
        Assert.Equal(("", ""), (mount.Told("descriptor"), mount.Told("input")));
    }

    public void Dispose()
    {
        qemuImg.Dispose();
        Directory.Delete(folder);
    }

    private NetfsPool Backend() => new(new LocalVolumes(new VolumeTools(qemuImg, new Ploop(tools), new Cryptsetup(tools)), NullLoggerFactory.Instance), new Mounter(tools), new NetfsSources(tools));

    private PoolDefinition Pool(SourceAuth? auth) => PoolRules.Complete(new PoolDefinition
    {
        Type = PoolType.Netfs,
        Name = "share",
        Source = new PoolSource { Hosts = [new SourceHost("filer")], Dir = "a", Format = "cifs", Auth = auth },
        Target = new PoolTarget { Path = folder },
    });

    private static Run NewRun(string? password = Password) => new(Guid.NewGuid(), false, _ => Task.CompletedTask, new Progress<OperationProgress>())
    {
        Secrets = (_, _) => password is null
            ? throw new InvalidOperationException("No secret is needed.")
            : Task.FromResult(SecretValue.Of(System.Text.Encoding.UTF8.GetBytes(password))),
    };
}
