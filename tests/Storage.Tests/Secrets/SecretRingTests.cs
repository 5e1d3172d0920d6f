using System.Text;
using Storage.Contracts;
using Storage.Ledger;
using Xunit;

namespace Storage.Tests.Secrets;

public sealed class SecretRingTests
{
    private const string Passphrase = "correct horse battery staple";

    private readonly string key = SecretRing.NewKey();
    private readonly Guid uuid = Guid.NewGuid();

    [Fact]
    public void A_value_comes_back_and_is_not_seen_in_what_is_stored()
    {
        var row = Row(SecretRing.Parse(key));
        Assert.Equal(-1, row.Value.AsSpan().IndexOf(Encoding.UTF8.GetBytes(Passphrase)));
        using var value = SecretRing.Parse(key).Decrypt(row);
        Assert.Equal(Passphrase, Encoding.UTF8.GetString(value.Bytes.Span));
    }

    [Fact]
    public void The_same_value_is_stored_otherwise_each_time() =>
        Assert.NotEqual(Row(SecretRing.Parse(key)).Value, Row(SecretRing.Parse(key)).Value);

    [Fact]
    public void A_value_put_into_another_row_is_not_decrypted_there()
    {
        var row = Row(SecretRing.Parse(key));
        var other = new SecretRow { Uuid = Guid.NewGuid(), Usage = "other", KeyId = row.KeyId, Value = row.Value };
        Assert.Equal(ErrorCodes.SecretsUnavailable, Refused(() => SecretRing.Parse(key).Decrypt(other)).Code);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(12)]
    [InlineData(-1)]
    public void A_changed_value_is_not_decrypted(int at)
    {
        var row = Row(SecretRing.Parse(key));
        row.Value![at < 0 ? row.Value.Length - 1 : at] ^= 1;
        Assert.Equal(ErrorCodes.SecretsUnavailable, Refused(() => SecretRing.Parse(key).Decrypt(row)).Code);
    }

    [Fact]
    public void A_value_that_was_cut_off_is_not_decrypted()
    {
        var row = Row(SecretRing.Parse(key));
        row.Value = row.Value![..5];
        Assert.Equal(ErrorCodes.SecretsUnavailable, Refused(() => SecretRing.Parse(key).Decrypt(row)).Code);
    }

    [Fact]
    public void The_first_key_encrypts_and_all_decrypt()
    {
        var old = Row(SecretRing.Parse(key));
        var ring = SecretRing.Parse($"{SecretRing.NewKey()}\n{key}\n");
        using (var value = ring.Decrypt(old))
            Assert.Equal(Passphrase, Encoding.UTF8.GetString(value.Bytes.Span));
        Assert.Equal(ring.Ids[0], Row(ring).KeyId);
        Assert.Equal(ring.Ids[1], old.KeyId);
    }

    [Fact]
    public void Without_its_key_a_value_is_said_to_be_unavailable_with_the_id_of_the_key()
    {
        var row = Row(SecretRing.Parse(key));
        var error = Refused(() => SecretRing.Parse(SecretRing.NewKey()).Decrypt(row));
        Assert.Equal(ErrorCodes.SecretsUnavailable, error.Code);
        Assert.Contains(row.KeyId!, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_any_key_nothing_is_encrypted() =>
        Assert.Equal(ErrorCodes.SecretsUnavailable, Refused(() => SecretRing.Parse("").Encrypt(uuid, [1])).Code);

    [Theory]
    [InlineData("c2hvcnQ=")]
    [InlineData("qx7- zz9- vv8-")]
    public void What_is_no_key_is_refused_without_a_word_of_it(string text)
    {
        var message = Assert.Throws<InvalidOperationException>(() => SecretRing.Parse(text)).Message;
        Assert.All(text.Split(' '), word => Assert.DoesNotContain(word, message.Split(' ')));
    }

    [Fact]
    public void The_id_of_a_key_has_nothing_of_it()
    {
        var id = Assert.Single(SecretRing.Parse(key).Ids);
        Assert.DoesNotContain(id, Convert.ToHexStringLower(Convert.FromBase64String(key)), StringComparison.Ordinal);
    }

    private SecretRow Row(SecretRing ring)
    {
        var (id, value) = ring.Encrypt(uuid, Encoding.UTF8.GetBytes(Passphrase));
        return new SecretRow { Uuid = uuid, Usage = "u", KeyId = id, Value = value };
    }

    private static StorageError Refused(Action action) => Assert.Throws<StorageException>(action).Error;
}
