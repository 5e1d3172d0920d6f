namespace Storage.Contracts;

/// <summary>Why something was refused or failed: what a client can act on.</summary>
/// <param name="Code">One of <see cref="ErrorCodes"/>: stable.</param>
/// <param name="Message">For people.</param>
/// <param name="Field">The input at fault, as a JSON path or XML path; null when no input is.</param>
/// <param name="Retryable">The same command may succeed later without any change.</param>
/// <param name="Resource">The pool, volume or operation in the way.</param>
/// <param name="Tool">The host tool that failed.</param>
/// <param name="ExitCode">Its exit code.</param>
/// <param name="Stderr">The end of what it printed, at most 4 KiB, without secrets.</param>
public sealed record StorageError(
    string Code,
    string Message,
    string? Field = null,
    bool Retryable = false,
    string? Resource = null,
    string? Tool = null,
    int? ExitCode = null,
    string? Stderr = null);

/// <summary>The one exception type that carries a <see cref="StorageError"/>.</summary>
public sealed class StorageException(StorageError error, Exception? inner = null) : Exception(error.Message, inner)
{
    public StorageException(string code, string message, string? field = null)
        : this(new StorageError(code, message, field))
    {
    }

    public StorageError Error { get; } = error;
}
