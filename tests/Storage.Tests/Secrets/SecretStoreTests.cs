using System.Text;
using Microsoft.EntityFrameworkCore;
using Storage.Contracts;
using Storage.Ledger;
using Storage.Tests.Ledger;
using Xunit;

namespace Storage.Tests.Secrets;

/// <summary>Secrets in a database; each test has one of its own.</summary>
public sealed class SecretStoreTests : IAsyncLifetime
{
    private const string Passphrase = "correct horse battery staple";

    private readonly LedgerFixture ledger = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private SecretStore Store => ledger.Get<SecretStore>();

    [Fact]
    public async Task A_secret_is_found_by_its_uuid_and_its_usage()
    {
        var made = await CreateAsync("/srv/a", Passphrase);
        Assert.Equal(made.Uuid, (await Store.FindAsync("/srv/a", Cancellation)).Uuid);
        Assert.Equal("/srv/a", (await Store.FindAsync(made.Uuid.ToString(), Cancellation)).Usage);
    }

    [Fact]
    public async Task A_usage_and_a_uuid_are_taken_once()
    {
        var made = await CreateAsync("a", null);
        Assert.Equal((ErrorCodes.SecretExists, "usage"), await RefusedAsync(() => CreateAsync("a", null)));
        Assert.Equal((ErrorCodes.SecretExists, "uuid"), await RefusedAsync(() => CreateAsync("b", null, made.Uuid)));
    }

    [Theory]
    [InlineData("", "usage")]
    [InlineData("4b5ec8f5-2a3f-4ba9-9f4b-1d3b0f1f8a11", "usage")]
    [InlineData("a\nb", "usage")]
    public async Task What_could_not_be_named_is_refused(string usage, string field) =>
        Assert.Equal((ErrorCodes.InvalidDefinition, field), await RefusedAsync(() => CreateAsync(usage, null)));

    [Theory]
    [InlineData(0)]
    [InlineData(SecretValue.Limit + 1)]
    public async Task A_value_of_no_length_or_too_much_is_refused(int length)
    {
        await CreateAsync("a", null);
        using var value = new SecretValue(length);
        Assert.Equal((ErrorCodes.InvalidArgument, "value"), await RefusedAsync(() => Store.SetValueAsync("a", value, Cancellation)));
    }

    [Fact]
    public async Task A_value_that_is_set_replaces_the_one_before()
    {
        await CreateAsync("a", Passphrase);
        using var other = SecretValue.Of("other"u8);
        await Store.SetValueAsync("a", other, Cancellation);
        Assert.Equal("other", await ValueAsync("a"));
    }

    [Fact]
    public async Task What_is_deleted_is_gone_and_what_is_not_there_is_said()
    {
        await CreateAsync("a", Passphrase);
        await Store.DeleteAsync("a", Cancellation);
        Assert.Equal(ErrorCodes.SecretNotFound, (await RefusedAsync(() => Store.DeleteAsync("a", Cancellation))).Code);
        Assert.Equal(ErrorCodes.SecretNotFound, (await RefusedAsync(() => Store.FindAsync(Guid.NewGuid().ToString(), Cancellation))).Code);
    }

    [Fact]
    public async Task A_new_first_key_encrypts_all_anew_and_the_old_one_is_not_needed_any_more()
    {
        var (old, fresh) = (ledger.SecretKeys, SecretRing.NewKey());
        await CreateAsync("a", Passphrase);
        await CreateAsync("b", "another");
        await CreateAsync("c", null);
        ledger.SecretKeys = $"{fresh} {old}";
        await ledger.RestartAsync();
        // The service does so by itself after the start; done twice it is done once.
        await Store.RotateAsync(Cancellation);
        Assert.Equal((0, 0), await Store.RotateAsync(Cancellation));
        ledger.SecretKeys = fresh;
        await ledger.RestartAsync();
        Assert.Equal((Passphrase, "another"), (await ValueAsync("a"), await ValueAsync("b")));
    }

    [Fact]
    public async Task What_no_key_decrypts_is_left_and_counted_and_keeps_nobody_else()
    {
        var old = ledger.SecretKeys;
        await CreateAsync("a", Passphrase);
        ledger.SecretKeys = $"{SecretRing.NewKey()} {old}";
        await ledger.RestartAsync();
        await Store.RotateAsync(Cancellation);
        await CreateAsync("lost", "x");
        await ledger.QueryAsync(db => db.Secrets.Where(row => row.Usage == "lost").ExecuteUpdateAsync(set => set.SetProperty(row => row.KeyId, "gone"), Cancellation));
        Assert.Equal((0, 1), await Store.RotateAsync(Cancellation));
        Assert.Equal(Passphrase, await ValueAsync("a"));
    }

    [Fact]
    public async Task Without_a_key_there_are_no_secrets_and_commands_go_on()
    {
        ledger.SecretKeys = "";
        await ledger.RestartAsync();
        Assert.Equal(ErrorCodes.SecretsUnavailable, (await RefusedAsync(() => CreateAsync("a", Passphrase))).Code);
        Assert.Equal(ErrorCodes.SecretsUnavailable, (await RefusedAsync(() => CreateAsync("a", null))).Code);
        await ledger.AnnounceAsync();
        Assert.Equal(OperationState.Succeeded, (await ledger.AcceptAsync(new DefinePool(null, LedgerFixture.Dir("p")))).State);
    }

    [Fact]
    public async Task A_value_is_in_no_file_of_the_database()
    {
        await CreateAsync("a", Passphrase);
        Assert.NotEmpty(ledger.DatabaseFiles);
        foreach (var file in ledger.DatabaseFiles)
        {
            await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            var bytes = new byte[stream.Length];
            await stream.ReadExactlyAsync(bytes, Cancellation);
            Assert.Equal(-1, bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(Passphrase)));
        }
    }

    public ValueTask InitializeAsync() => ledger.InitializeAsync();

    public ValueTask DisposeAsync() => ledger.DisposeAsync();

    private async Task<SecretRow> CreateAsync(string usage, string? value, Guid? uuid = null)
    {
        using var given = value is null ? null : SecretValue.Of(Encoding.UTF8.GetBytes(value));
        return await Store.CreateAsync(uuid, usage, null, given, Cancellation);
    }

    private async Task<string> ValueAsync(string usage)
    {
        using var value = ledger.Get<SecretRing>().Decrypt(await Store.FindAsync(usage, Cancellation));
        return Encoding.UTF8.GetString(value.Bytes.Span);
    }

    private static async Task<(string Code, string? Field)> RefusedAsync(Func<Task> action)
    {
        var error = (await Assert.ThrowsAsync<StorageException>(action)).Error;
        return (error.Code, error.Field);
    }
}
