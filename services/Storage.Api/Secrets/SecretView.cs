using Storage.Ledger;

namespace Storage.Api;

/// <summary>A secret. Its value is never shown.</summary>
/// <param name="Usage">What it is for: its unique name.</param>
/// <param name="HasValue">Its value was set.</param>
/// <param name="KeyId">The key that encrypts the value.</param>
/// <param name="UpdatedAt">When its value was last set.</param>
public sealed record SecretView(
    Guid Uuid, string Usage, string? Description, bool HasValue, string? KeyId, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    public static SecretView Of(SecretRow row) =>
        new(row.Uuid, row.Usage, row.Description, row.Value is not null, row.KeyId, row.CreatedAt, row.UpdatedAt);
}

/// <summary>A key that encrypts secrets.</summary>
/// <param name="Id">Which key it is; nothing of the key.</param>
/// <param name="Current">It encrypts.</param>
/// <param name="Available">It is set; one that is not was removed while secrets still needed it.</param>
/// <param name="Secrets">How many secrets it encrypts. A key that encrypts none and is not the current one can be removed.</param>
public sealed record SecretKeyView(string Id, bool Current, bool Available, int Secrets);

/// <param name="Usage">What it is for, such as the path of a volume: unique, and no uuid.</param>
/// <param name="Uuid">Made where it is absent.</param>
/// <param name="Description">For people.</param>
/// <param name="Value">The value in base64; it may come later.</param>
public sealed record NewSecret(string Usage, Guid? Uuid = null, string? Description = null, byte[]? Value = null)
{
    public override string ToString() => $"a secret for {Usage}";
}
