using Microsoft.Extensions.Logging;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>Asks the store for a secret; ends with the answer, throws when there is none.</summary>
public delegate Task<SecretResolved> AskForSecret(ResolveSecret question, CancellationToken cancellationToken);

/// <summary>
/// Where runs have the values of secrets from: asked for each time one is needed, with a key made for the question, and kept nowhere.
/// </summary>
/// <param name="question">The question about a secret of an operation, for a public key.</param>
public sealed class RunSecrets(AskForSecret ask, Func<Guid, SecretReference, byte[], ResolveSecret> question, ILogger log)
{
    private const int Attempts = 5;
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    /// <summary>The value; the caller disposes of it as soon as it was used.</summary>
    /// <exception cref="StorageException">
    /// What the store answered (<see cref="SecretResolved.Error"/>); <see cref="ErrorCodes.ServiceUnavailable"/>, retryable, where nobody answers.
    /// </exception>
    public async Task<SecretValue> ResolveAsync(Guid operation, SecretReference secret, CancellationToken cancellationToken)
    {
        using var key = SecretSealing.CreateKey();
        var answer = await AskAsync(question(operation, secret, key.ExportSubjectPublicKeyInfo()), cancellationToken);
        if (answer.Value is not { } sealedValue)
            throw new StorageException(answer.Error ?? new StorageError(ErrorCodes.Internal, "The store of secrets gave neither a value nor an error."));
        var value = new SecretValue(sealedValue.Ciphertext.Length);
        try
        {
            SecretSealing.Open(sealedValue, key, operation, value.Bytes.Span);
            return value;
        }
        catch
        {
            value.Dispose();
            throw;
        }
    }

    private async Task<SecretResolved> AskAsync(ResolveSecret asked, CancellationToken cancellationToken)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await ask(asked, cancellationToken);
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                WorkerLog.SecretNotAnswered(log, e, asked.OperationId);
                if (attempt + 1 == Attempts)
                    throw new StorageException(
                        new StorageError(ErrorCodes.ServiceUnavailable, "The store of secrets does not answer at the moment.", Retryable: true), e);
            }
            await Task.Delay(Backoff.Pause(attempt, LongestPause), cancellationToken);
        }
    }
}
