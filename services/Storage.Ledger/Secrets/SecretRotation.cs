using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Storage.Ledger;

/// <summary>After the start, encrypts anew what an older key encrypts. Until it says that it is done, the older keys must stay.</summary>
internal sealed partial class SecretRotation(SecretStore store, SecretRing ring, ILogger<SecretRotation> logger) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            try
            {
                var (done, left) = await store.RotateAsync(stoppingToken);
                if (done > 0)
                    Rotated(logger, done, ring.CurrentId!);
                if (left > 0)
                    KeyMissing(logger, left);
                return;
            }
            catch (Exception) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                NotRotated(logger, e);
            }
            await Task.Delay(Pause, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(4022, LogLevel.Information, "{Count} secrets were encrypted anew with key {KeyId}.")]
    private static partial void Rotated(ILogger logger, int count, string keyId);

    [LoggerMessage(4023, LogLevel.Warning, "{Count} secrets are encrypted with a key that is not among those that are set.")]
    private static partial void KeyMissing(ILogger logger, int count);

    [LoggerMessage(4024, LogLevel.Warning, "The secrets could not be encrypted anew; it will be tried again.")]
    private static partial void NotRotated(ILogger logger, Exception exception);
}
