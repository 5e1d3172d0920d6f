using Storage.Contracts;

namespace Storage.Worker;

/// <summary>What a client is told about an exception.</summary>
internal static class RunErrors
{
    private const int DiskFull = unchecked((int)0x80070070);
    private const int Enospc = 28;

    /// <summary>False for an exception that nobody foresaw.</summary>
    public static bool Foreseen(Exception e) => e is StorageException or OperationCanceledException or TimeoutException or IOException or UnauthorizedAccessException;

    public static StorageError Of(Exception e) => e switch
    {
        StorageException storage => storage.Error,
        OperationCanceledException or TimeoutException => new StorageError(ErrorCodes.Timeout, "The host did not answer in time.", Retryable: true),
        IOException { HResult: DiskFull or Enospc } => new StorageError(ErrorCodes.NoSpace, e.Message, Retryable: true),
        IOException or UnauthorizedAccessException => new StorageError(ErrorCodes.HostFailure, e.Message),
        _ => new StorageError(ErrorCodes.Internal, e.Message),
    };
}
