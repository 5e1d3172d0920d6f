using System.Security.Cryptography;
using Storage.Contracts;
using Xunit;

namespace Storage.Tests.Secrets;

public sealed class SecretSealingTests : IDisposable
{
    private static readonly byte[] Value = "correct horse"u8.ToArray();

    private readonly ECDiffieHellman key = SecretSealing.CreateKey();
    private readonly Guid operation = Guid.NewGuid();

    [Fact]
    public void Who_made_the_key_opens_it()
    {
        var sealedValue = Seal();
        Assert.Equal(-1, sealedValue.Ciphertext.AsSpan().IndexOf(Value));
        Assert.Equal(Value, Open(sealedValue, key, operation));
    }

    [Fact]
    public void Who_made_another_key_does_not() => AssertClosed(Seal(), SecretSealing.CreateKey(), operation);

    [Fact]
    public void For_another_operation_it_stays_closed() => AssertClosed(Seal(), key, Guid.NewGuid());

    [Fact]
    public void What_was_changed_stays_closed()
    {
        var sealedValue = Seal();
        AssertClosed(sealedValue with { Ciphertext = [.. sealedValue.Ciphertext.Select((part, i) => (byte)(i == 0 ? part ^ 1 : part))] }, key, operation);
        AssertClosed(sealedValue with { PublicKey = SecretSealing.CreateKey().ExportSubjectPublicKeyInfo() }, key, operation);
        AssertClosed(sealedValue with { Tag = new byte[3] }, key, operation);
        AssertClosed(sealedValue with { PublicKey = [1, 2, 3] }, key, operation);
    }

    [Fact]
    public void Each_sealing_has_a_key_of_its_own() => Assert.NotEqual(Seal().PublicKey, Seal().PublicKey);

    [Fact]
    public void A_key_on_another_curve_and_what_is_no_key_are_refused()
    {
        using var other = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP384);
        byte[][] keys = [other.ExportSubjectPublicKeyInfo(), [], [.. key.ExportSubjectPublicKeyInfo(), 0]];
        Assert.All(keys, wrong => Assert.Equal("publicKey", Assert.Throws<StorageException>(() => SecretSealing.Seal(Value, wrong, operation)).Error.Field));
    }

    [Fact]
    public void A_value_in_memory_says_nothing_of_itself_and_is_zeros_when_it_was_used()
    {
        var value = SecretValue.Of(Value);
        Assert.DoesNotContain("horse", value.ToString(), StringComparison.Ordinal);
        value.Dispose();
        Assert.All(value.Bytes.ToArray(), left => Assert.Equal(0, left));
    }

    public void Dispose() => key.Dispose();

    private SealedValue Seal() => SecretSealing.Seal(Value, key.ExportSubjectPublicKeyInfo(), operation);

    private static byte[] Open(SealedValue value, ECDiffieHellman key, Guid operation)
    {
        var opened = new byte[value.Ciphertext.Length];
        SecretSealing.Open(value, key, operation, opened);
        return opened;
    }

    private static void AssertClosed(SealedValue value, ECDiffieHellman key, Guid operation) =>
        Assert.Equal(ErrorCodes.InvalidArgument, Assert.Throws<StorageException>(() => Open(value, key, operation)).Error.Code);
}
