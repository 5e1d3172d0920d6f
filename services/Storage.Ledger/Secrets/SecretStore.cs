using Microsoft.EntityFrameworkCore;
using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>
/// The secrets. They are no operations and leave no events: a value goes in and comes out by <see cref="SecretResolver"/> alone. Who uses a
/// secret is not known here, so one that is used can be deleted: what needs it next fails, and says which secret is not there.
/// </summary>
public sealed class SecretStore(IDbContextFactory<LedgerDb> databases, LedgerDialect dialect, SecretRing ring, TimeProvider clock)
{
    /// <param name="uuid">Made where it is absent.</param>
    /// <param name="usage">What it is for: unique, and no uuid.</param>
    /// <param name="description">For people.</param>
    /// <param name="value">May come later.</param>
    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.SecretExists"/>, <see cref="ErrorCodes.InvalidDefinition"/>, <see cref="ErrorCodes.SecretsUnavailable"/>.
    /// </exception>
    public Task<SecretRow> CreateAsync(Guid? uuid, string? usage, string? description, SecretValue? value, CancellationToken cancellationToken)
    {
        PlainText.CheckGiven(usage, "usage");
        if (Guid.TryParse(usage, out _))
            throw new StorageException(ErrorCodes.InvalidDefinition, "A usage that is a uuid could not be told from one.", "usage");
        PlainText.Check(description ?? "", "description");
        if (uuid == Guid.Empty)
            throw new StorageException(ErrorCodes.InvalidDefinition, "A uuid of zeros names no secret.", "uuid");
        if (value is not null)
            Check(value);
        RequireKey();
        return WriteAsync(
            async db =>
            {
                var now = clock.GetUtcNow();
                if (await db.Secrets.FirstOrDefaultAsync(row => row.Usage == usage || row.Uuid == uuid, cancellationToken) is { } there)
                    throw new StorageException(new StorageError(
                        ErrorCodes.SecretExists, $"Secret {there.Uuid} is there already, for '{there.Usage}'.", there.Usage == usage ? "usage" : "uuid",
                        Resource: Resources.Secret(there.Uuid)));
                var secret = new SecretRow { Uuid = uuid ?? Guid.NewGuid(), Usage = usage!, Description = description, CreatedAt = now, UpdatedAt = now };
                Set(secret, value);
                db.Secrets.Add(secret);
                return secret;
            },
            cancellationToken);
    }

    /// <summary>Gives it another value.</summary>
    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.SecretNotFound"/>, <see cref="ErrorCodes.InvalidArgument"/>, <see cref="ErrorCodes.SecretsUnavailable"/>.
    /// </exception>
    public Task<SecretRow> SetValueAsync(string name, SecretValue value, CancellationToken cancellationToken)
    {
        Check(value);
        return WriteAsync(
            async db =>
            {
                var secret = await FindAsync(db, Reference(name), cancellationToken);
                Set(secret, value);
                secret.UpdatedAt = clock.GetUtcNow();
                return secret;
            },
            cancellationToken);
    }

    /// <exception cref="StorageException"><see cref="ErrorCodes.SecretNotFound"/>.</exception>
    public Task DeleteAsync(string name, CancellationToken cancellationToken) => WriteAsync(
        async db =>
        {
            var secret = await FindAsync(db, Reference(name), cancellationToken);
            db.Secrets.Remove(secret);
            return secret;
        },
        cancellationToken);

    /// <summary>Encrypts anew with the first key what another key encrypts; what no key of the ring decrypts stays as it is.</summary>
    /// <returns>How many were encrypted anew, and how many cannot be.</returns>
    public async Task<(int Done, int Left)> RotateAsync(CancellationToken cancellationToken)
    {
        var (current, others) = (ring.CurrentId, ring.Ids.Skip(1).ToList());
        if (current is null)
            return (0, 0);
        return await WriteAsync(
            async db =>
            {
                var (done, left) = (0, 0);
                foreach (var secret in await db.Secrets.Where(row => row.KeyId != null && others.Contains(row.KeyId)).ToListAsync(cancellationToken))
                {
                    try
                    {
                        using var value = ring.Decrypt(secret);
                        Set(secret, value);
                        done++;
                    }
                    catch (StorageException)
                    {
                        left++;
                    }
                }
                return (done, left + await db.Secrets.CountAsync(row => row.KeyId != null && row.KeyId != current && !others.Contains(row.KeyId), cancellationToken));
            },
            cancellationToken);
    }

    /// <exception cref="StorageException"><see cref="ErrorCodes.SecretNotFound"/>.</exception>
    public async Task<SecretRow> FindAsync(string name, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        return await FindAsync(db, Reference(name), cancellationToken);
    }

    internal static async Task<SecretRow> FindAsync(LedgerDb db, SecretReference secret, CancellationToken cancellationToken) =>
        await (secret.Uuid is { } uuid ? db.Secrets.Where(row => row.Uuid == uuid) : db.Secrets.Where(row => row.Usage == secret.Usage))
            .SingleOrDefaultAsync(cancellationToken)
        ?? throw new StorageException(new StorageError(
            ErrorCodes.SecretNotFound, secret.Uuid is null ? $"There is no secret for '{secret.Usage}'." : $"There is no secret {secret.Uuid}.",
            Resource: secret.Uuid is { } known ? Resources.Secret(known) : null));

    private static SecretReference Reference(string name) => Guid.TryParse(name, out var uuid) ? new(uuid) : new(Usage: name);

    private static void Check(SecretValue value)
    {
        if (value.Bytes.Length is 0 or > SecretValue.Limit)
            throw new StorageException(ErrorCodes.InvalidArgument, $"A value has from 1 to {SecretValue.Limit} bytes.", "value");
    }

    private void RequireKey()
    {
        if (ring.CurrentId is null)
            throw new StorageException(ErrorCodes.SecretsUnavailable, "No key for secrets is set (Secrets:Key or Secrets:KeyFile).");
    }

    private void Set(SecretRow secret, SecretValue? value)
    {
        if (value is not null)
            (secret.KeyId, secret.Value) = ring.Encrypt(secret.Uuid, value.Bytes.Span);
    }

    private async Task<T> WriteAsync<T>(Func<LedgerDb, Task<T>> write, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await dialect.LockAsync(db, LedgerLock.Secrets, cancellationToken);
        var written = await write(db);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return written;
    }
}
