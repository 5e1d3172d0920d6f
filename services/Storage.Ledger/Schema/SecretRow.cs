namespace Storage.Ledger;

/// <summary>A secret. Its value is encrypted, see <see cref="SecretRing"/>.</summary>
public sealed class SecretRow
{
    public Guid Uuid { get; init; }

    /// <summary>What it is for: its unique name.</summary>
    public required string Usage { get; init; }

    public string? Description { get; init; }
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When its value was last set.</summary>
    public DateTimeOffset UpdatedAt { get; set; }

    /// <summary>The key that encrypts the value; null where there is none.</summary>
    public string? KeyId { get; set; }

    /// <summary>Nonce, ciphertext and tag; null where there is none.</summary>
    public byte[]? Value { get; set; }
}
