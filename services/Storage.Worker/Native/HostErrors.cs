using System.Runtime.InteropServices;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>errno as errors of Storage.</summary>
internal static class HostErrors
{
    public const int NotPermitted = 1;
    public const int NotFound = 2;
    public const int Interrupted = 4;
    public const int NoSuchAddress = 6;
    public const int BadFile = 9;
    public const int TryAgain = 11;
    public const int AccessDenied = 13;
    public const int Busy = 16;
    public const int Exists = 17;
    public const int CrossesBoundary = 18;
    public const int NoSuchDevice = 19;
    public const int NotDirectory = 20;
    public const int IsDirectory = 21;
    public const int Invalid = 22;
    public const int TooManyFilesOnHost = 23;
    public const int TooManyFiles = 24;
    public const int NotTerminal = 25;
    public const int NoSpace = 28;
    public const int TooManyLinks = 31;
    public const int NotImplemented = 38;
    public const int NotEmpty = 39;
    public const int TooManySymbolicLinks = 40;
    public const int NotSupported = 95;
    public const int QuotaExceeded = 122;

    public static int Last => Marshal.GetLastPInvokeError();

    public static string Text(int errno) => Marshal.GetPInvokeErrorMessage(errno);

    /// <summary>The error of the call that has just failed.</summary>
    /// <param name="action">What could not be done: "create /pool/volume".</param>
    public static StorageException FromLast(string action, string? field = null) => From(Last, action, field);

    public static StorageException From(int errno, string action, string? field = null) => new(new StorageError(
        errno is NoSpace or QuotaExceeded ? ErrorCodes.NoSpace : ErrorCodes.HostFailure,
        $"Cannot {action}: {Text(errno)}.",
        field));
}
