using System.Security.Cryptography;
using System.Text;
using Storage.Contracts;

namespace Storage.Api;

/// <summary>
/// The <c>Idempotency-Key</c> header. A uuid is the command's id itself; any other key of 1 to 255 visible ASCII characters is mapped
/// to one (RFC 9562, version 5), so that the same key always names the same operation. Surrounding quotes do not count.
/// </summary>
public static class IdempotencyKey
{
    public const string Header = "Idempotency-Key";

    /// <summary>The namespace of the mapped keys. Part of the contract: never changes.</summary>
    private static readonly Guid Namespace = new("6f0f6b5e-9c4b-5f0e-8a57-2d1c3c1f7a90");

    /// <returns>Null where the request has no key.</returns>
    /// <exception cref="StorageException"><see cref="ErrorCodes.InvalidArgument"/>.</exception>
    public static Guid? Read(IHeaderDictionary headers) => headers[Header] switch
    {
        { Count: 0 } => null,
        { Count: 1 } one => Parse(one.ToString()),
        _ => throw new StorageException(ErrorCodes.InvalidArgument, "Only one key can be given.", Header),
    };

    public static Guid Parse(string value)
    {
        var key = value is ['"', .. var inner, '"'] ? inner : value;
        if (key.Length is 0 or > 255 || key.Any(c => c is <= ' ' or > '~'))
            throw new StorageException(ErrorCodes.InvalidArgument, "A key is 1 to 255 visible ASCII characters.", Header);
        var id = Guid.TryParseExact(key, "D", out var uuid) ? uuid : NameBased(key);
        return id != Guid.Empty ? id : throw new StorageException(ErrorCodes.InvalidArgument, "The nil uuid is not a key.", Header);
    }

    private static Guid NameBased(string name)
    {
        Span<byte> input = stackalloc byte[16 + 255];
        Namespace.TryWriteBytes(input, bigEndian: true, out _);
        var length = 16 + Encoding.ASCII.GetBytes(name, input[16..]);
        Span<byte> hash = stackalloc byte[SHA1.HashSizeInBytes];
#pragma warning disable CA5350 // Version 5 is defined with SHA-1; nothing is secured by it.
        SHA1.HashData(input[..length], hash);
#pragma warning restore CA5350
        hash[6] = (byte)((hash[6] & 0x0F) | 0x50);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new Guid(hash[..16], bigEndian: true);
    }
}
