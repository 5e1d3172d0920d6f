using System.Globalization;
using Storage.Contracts;

namespace Storage.Api;

/// <summary><c>Expires-In: N</c>: the operation expires when it has not begun N seconds after its acceptance; at most a year.</summary>
public static class ExpiresIn
{
    public const string Header = "Expires-In";
    public const int Limit = 366 * 24 * 3600;

    /// <returns>Null where the request has no such header.</returns>
    /// <exception cref="StorageException"><see cref="ErrorCodes.InvalidArgument"/>: a deadline that is not understood must not be passed over.</exception>
    public static TimeSpan? Read(IHeaderDictionary headers) => headers[Header] switch
    {
        { Count: 0 } => null,
        [{ } text] when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 1 and <= Limit =>
            TimeSpan.FromSeconds(seconds),
        _ => throw new StorageException(ErrorCodes.InvalidArgument, $"{Header} is a number of seconds from 1 to {Limit}.", Header),
    };
}
