using System.Security.Cryptography;
using System.Text;
using Storage.Contracts;
using Storage.Ledger;
using Storage.Tests.Ledger;
using Xunit;

namespace Storage.Tests.Secrets;

/// <summary>Who is given a secret: the worker of an operation that runs and names it, and nobody else.</summary>
public sealed class SecretResolverTests : IAsyncLifetime
{
    private const string Usage = "disk";

    private readonly LedgerFixture ledger = new();
    private readonly ECDiffieHellman key = SecretSealing.CreateKey();
    private Guid pool;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_worker_of_an_operation_that_names_it_is_given_it_as_often_as_it_asks()
    {
        var create = await CreateAsync("v", Usage);
        for (var times = 0; times < 2; times++)
            Assert.Equal("horse", Open(await AskAsync(create.Id), create.Id));
    }

    [Fact]
    public async Task Another_host_and_another_family_are_refused()
    {
        var create = await CreateAsync("v", Usage);
        Assert.Equal(ErrorCodes.SecretRefused, (await AskAsync(create.Id, host: "host-b")).Error!.Code);
        Assert.Equal(ErrorCodes.SecretRefused, (await AskAsync(create.Id, family: PoolFamily.Block)).Error!.Code);
    }

    [Fact]
    public async Task An_operation_that_names_another_secret_or_none_is_refused()
    {
        await SecretAsync("other", "other");
        var create = await CreateAsync("v", "other");
        var plain = await ledger.AcceptAsync(new CreateVolume(null, "p", LedgerFixture.Raw("plain")));
        Assert.Equal(ErrorCodes.SecretRefused, (await AskAsync(create.Id)).Error!.Code);
        Assert.Equal(ErrorCodes.SecretRefused, (await AskAsync(plain.Id)).Error!.Code);
        Assert.Equal(ErrorCodes.SecretRefused, (await AskAsync(Guid.NewGuid())).Error!.Code);
    }

    [Fact]
    public async Task An_operation_that_waits_or_has_ended_is_refused()
    {
        var first = await CreateAsync("v", Usage);
        var queued = await ledger.AcceptAsync(new ResizeVolume(null, "p", "v", 1 << 20, Secret: new SecretReference(Usage: Usage)));
        Assert.Equal((OperationState.Queued, ErrorCodes.SecretRefused), (queued.State, (await AskAsync(queued.Id)).Error!.Code));
        await ledger.ReportAsync(ledger.Success(first.Id));
        Assert.Equal(ErrorCodes.SecretRefused, (await AskAsync(first.Id)).Error!.Code);
    }

    [Fact]
    public async Task A_pools_own_secret_is_given_to_what_runs_on_the_pool()
    {
        await ledger.AcceptAsync(new DefinePool(null, LedgerFixture.Dir("share") with
        {
            Source = new PoolSource { Auth = new SourceAuth(AuthKind.Chap, "u", new SecretReference(Usage: Usage)) },
        }));
        var start = await ledger.AcceptAsync(new StartPool(null, "share"));
        var other = await ledger.AcceptAsync(new RefreshPool(null, "p"));
        Assert.Equal("horse", Open(await AskAsync(start.Id), start.Id));
        Assert.Equal(ErrorCodes.SecretRefused, (await AskAsync(other.Id)).Error!.Code);
    }

    [Fact]
    public async Task A_volume_that_is_resized_or_copied_has_the_secret_of_its_path_and_no_other_volumes()
    {
        await SecretAsync("/srv/p/v", "of v");
        await SecretAsync("/srv/p/w", "of w");
        foreach (var name in new[] { "v", "w" })
        {
            var seen = new VolumeDefinition { Name = name, Path = $"/srv/p/{name}", Format = "raw", Capacity = 1024, Encryption = new VolumeEncryption("luks") };
            await ledger.ReportAsync(ledger.Event(new VolumeCreated(pool, seen), Resources.Volume(pool, name)));
        }
        var resize = await ledger.AcceptAsync(new ResizeVolume(null, "p", "v", 1 << 20));
        var copy = await ledger.AcceptAsync(new CloneVolume(null, "p", new VolumeDefinition { Name = "copy" }, "w"));
        Assert.Equal("of v", Open(await AskAsync(resize.Id, "/srv/p/v"), resize.Id));
        Assert.Equal(ErrorCodes.SecretRefused, (await AskAsync(resize.Id, "/srv/p/w")).Error!.Code);
        Assert.Equal("of w", Open(await AskAsync(copy.Id, "/srv/p/w"), copy.Id));
    }

    [Fact]
    public async Task What_is_not_there_has_no_value_or_no_key_is_told_apart()
    {
        await ledger.Get<SecretStore>().CreateAsync(null, "empty", null, null, Cancellation);
        var (missing, empty, named) = (await CreateAsync("a", "missing"), await CreateAsync("b", "empty"), await CreateAsync("c", Usage));
        Assert.Equal(ErrorCodes.SecretNotFound, (await AskAsync(missing.Id, "missing")).Error!.Code);
        Assert.Equal(ErrorCodes.SecretWithoutValue, (await AskAsync(empty.Id, "empty")).Error!.Code);
        ledger.SecretKeys = "";
        await ledger.RestartAsync();
        Assert.Equal(ErrorCodes.SecretsUnavailable, (await AskAsync(named.Id)).Error!.Code);
    }

    public async ValueTask InitializeAsync()
    {
        await ledger.InitializeAsync();
        ledger.Operations = ["Build", "Delete", "CreateVolume", "DeleteVolume", "CloneVolume", "ResizeVolume"];
        await ledger.AnnounceAsync();
        pool = await ledger.RunningPoolAsync("p");
        await SecretAsync(Usage, "horse");
    }

    public async ValueTask DisposeAsync()
    {
        key.Dispose();
        await ledger.DisposeAsync();
    }

    private async Task SecretAsync(string usage, string value)
    {
        using var given = SecretValue.Of(Encoding.UTF8.GetBytes(value));
        await ledger.Get<SecretStore>().CreateAsync(null, usage, null, given, Cancellation);
    }

    private Task<OperationRow> CreateAsync(string volume, string usage) => ledger.AcceptAsync(new CreateVolume(null, "p", LedgerFixture.Raw(volume) with
    {
        Encryption = new VolumeEncryption("luks", Secrets: [new SecretReference(Usage: usage, Type: "passphrase")]),
    }));

    private Task<SecretResolved> AskAsync(Guid operation, string usage = Usage, string host = LedgerFixture.Host, PoolFamily family = PoolFamily.File) =>
        ledger.Get<SecretResolver>().AnswerAsync(
            new ResolveSecret(operation, family, host, Guid.NewGuid(), new SecretReference(Usage: usage), key.ExportSubjectPublicKeyInfo()), Cancellation);

    private string Open(SecretResolved answer, Guid operation)
    {
        Assert.Null(answer.Error);
        var opened = new byte[answer.Value!.Ciphertext.Length];
        SecretSealing.Open(answer.Value, key, operation, opened);
        return Encoding.UTF8.GetString(opened);
    }
}
