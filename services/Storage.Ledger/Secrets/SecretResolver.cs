using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>
/// Gives a worker the value of a secret that an operation of its own needs now: one that is dispatched to it or running there, and that names
/// the secret in its arguments, in a definition of its pools, or by the path of the volume that it reads.
/// </summary>
public sealed partial class SecretResolver(IDbContextFactory<LedgerDb> databases, SecretRing ring, ILogger<SecretResolver> logger)
{
    public async Task<SecretResolved> AnswerAsync(ResolveSecret asked, CancellationToken cancellationToken)
    {
        try
        {
            await using var db = await databases.CreateDbContextAsync(cancellationToken);
            await CheckAsync(db, asked, cancellationToken);
            var secret = await SecretStore.FindAsync(db, asked.Secret, cancellationToken);
            using var value = ring.Decrypt(secret);
            var answer = new SecretResolved(asked.OperationId, SecretSealing.Seal(value.Bytes.Span, asked.PublicKey, asked.OperationId));
            Given(logger, secret.Uuid, asked.Family, asked.Host, asked.OperationId);
            return answer;
        }
        catch (StorageException e)
        {
            NotGiven(logger, asked.Family, asked.Host, asked.OperationId, e.Error.Code, e.Error.Message);
            return new SecretResolved(asked.OperationId, Error: e.Error);
        }
    }

    private static async Task CheckAsync(LedgerDb db, ResolveSecret asked, CancellationToken cancellationToken)
    {
        var operation = await db.Operations.AsNoTracking().SingleOrDefaultAsync(row => row.Id == asked.OperationId, cancellationToken);
        if (operation is not { State: OperationState.Dispatched or OperationState.Running } || !IsOf(operation, asked))
            throw Refused(asked, "is not one that this worker runs now");
        if (!await NamedByAsync(db, operation, asked.Secret, cancellationToken))
            throw Refused(asked, "does not name this secret");
    }

    private static bool IsOf(OperationRow operation, ResolveSecret asked) => operation.Shared
        ? operation.Queue == Queues.Worker(asked.Family) && operation.Worker == asked.Host && operation.WorkerInstance == asked.Instance
        : operation.Queue == Queues.Worker(asked.Family, asked.Host);

    private static async Task<bool> NamedByAsync(LedgerDb db, OperationRow operation, SecretReference secret, CancellationToken cancellationToken)
    {
        var command = Submission.Read(operation);
        if (ByArguments(command).Any(named => Same(named, secret)))
            return true;
        // What it uses for as long as it lives: its pool, the pool that it copies from.
        var claimed = await db.Claims.AsNoTracking().Where(row => row.OperationId == operation.Id).Select(row => row.Resource).ToListAsync(cancellationToken);
        var pools = claimed.Select(Resources.PoolOf).OfType<Guid>().Distinct().ToList();
        var definitions = await db.Pools.AsNoTracking().Where(row => pools.Contains(row.Id)).Select(row => row.Definition).ToListAsync(cancellationToken);
        if (definitions.Any(text => JsonSerializer.Deserialize<PoolDefinition>(text, StorageJson.Options)!.Source.Auth is { } auth && Same(auth.Secret, secret)))
            return true;
        var read = command switch
        {
            CloneVolume { SourceSecret: null } clone => clone.SourceVolume,
            ResizeVolume { Secret: null } resize => resize.Volume,
            _ => null,
        };
        return read is not null && secret.Usage is { } usage
            && await db.Volumes.AnyAsync(row => pools.Contains(row.PoolId) && row.Name == read && row.Path == usage && !row.Removed, cancellationToken);
    }

    private static IEnumerable<SecretReference> ByArguments(ICommand command) => command switch
    {
        CreateVolume create => create.Volume.Encryption?.Secrets ?? [],
        CreateVolumes create => create.Volumes.SelectMany(volume => volume.Encryption?.Secrets ?? []),
        CloneVolume clone => [.. clone.Volume.Encryption?.Secrets ?? [], .. clone.SourceSecret is { } source ? [source] : Array.Empty<SecretReference>()],
        ResizeVolume { Secret: { } secret } => [secret],
        FindPoolSources { Source.Auth: { } auth } => [auth.Secret],
        _ => [],
    };

    private static bool Same(SecretReference named, SecretReference asked) => (named.Uuid, named.Usage) == (asked.Uuid, asked.Usage);

    private static StorageException Refused(ResolveSecret asked, string why) =>
        new(new StorageError(ErrorCodes.SecretRefused, $"Operation {asked.OperationId} {why}.", Resource: Resources.Operation(asked.OperationId)));

    [LoggerMessage(4020, LogLevel.Information, "Secret {Secret} was given to the {Family} worker of {Host} for {OperationId}.")]
    private static partial void Given(ILogger logger, Guid secret, PoolFamily family, string host, Guid operationId);

    [LoggerMessage(4021, LogLevel.Warning, "The {Family} worker of {Host} was given no secret for {OperationId}: {Code}: {Reason}")]
    private static partial void NotGiven(ILogger logger, PoolFamily family, string host, Guid operationId, string code, string reason);
}
