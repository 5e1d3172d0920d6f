using System.Globalization;
using Microsoft.Net.Http.Headers;
using Storage.Contracts;

namespace Storage.Api;

/// <summary>
/// <c>Cache-Control: max-age=N</c> of a request (RFC 9111, 5.2.1.1): the client takes nothing that was seen more than N seconds ago. Its
/// other directives are passed over.
/// </summary>
public static class MaxAge
{
    private const string Directive = "max-age";

    /// <returns>Null where the client takes whatever is known.</returns>
    /// <exception cref="StorageException"><see cref="ErrorCodes.InvalidArgument"/>: an age that is not understood must not be passed over.</exception>
    public static TimeSpan? Read(IHeaderDictionary headers)
    {
        if (headers.CacheControl.Count == 0)
            return null;
        foreach (var directive in headers.CacheControl.SelectMany(line => (line ?? "").Split(',')))
        {
            var pair = directive.Split('=', 2, StringSplitOptions.TrimEntries);
            if (!pair[0].Equals(Directive, StringComparison.OrdinalIgnoreCase))
                continue;
            return pair.Length == 2 && ulong.TryParse(pair[1].Trim('"'), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
                ? TimeSpan.FromSeconds(Math.Min(seconds, int.MaxValue))
                : throw new StorageException(ErrorCodes.InvalidArgument, $"{Directive} is a number of seconds.", HeaderNames.CacheControl);
        }
        return null;
    }
}
