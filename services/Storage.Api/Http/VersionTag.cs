using System.Globalization;
using Microsoft.Net.Http.Headers;
using Storage.Contracts;

namespace Storage.Api;

/// <summary>The version of a pool's definition as an entity tag, and the conditions that are made of it.</summary>
public static class VersionTag
{
    public static string Of(int version) => string.Create(CultureInfo.InvariantCulture, $"\"{version}\"");

    /// <summary>
    /// <c>If-Match: "3"</c> is version 3, <c>If-None-Match: *</c> is 0 (not there yet); null where there is no condition.
    /// </summary>
    /// <param name="current">The version that is there now, for <c>If-Match: *</c>; null where there is none.</param>
    /// <exception cref="StorageException"><see cref="ErrorCodes.InvalidArgument"/>, <see cref="ErrorCodes.VersionMismatch"/>.</exception>
    public static async Task<int?> ExpectedAsync(IHeaderDictionary headers, Func<Task<int?>> current)
    {
        var match = headers.IfMatch;
        var noneMatch = headers.IfNoneMatch;
        if (match.Count == 0 && noneMatch.Count == 0)
            return null;
        if (match.Count > 0 && noneMatch.Count > 0)
            throw new StorageException(ErrorCodes.InvalidArgument, "If-Match and If-None-Match exclude each other.", HeaderNames.IfMatch);
        if (noneMatch.Count > 0)
        {
            return noneMatch.ToString() == "*"
                ? 0
                : throw new StorageException(ErrorCodes.InvalidArgument, "Only * is understood.", HeaderNames.IfNoneMatch);
        }
        if (match.ToString() == "*")
        {
            return await current()
                ?? throw new StorageException(ErrorCodes.VersionMismatch, "The pool is not there.", HeaderNames.IfMatch);
        }
        return match.ToString() is ['"', .. var digits, '"']
            && int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var version) && version > 0
                ? version
                : throw new StorageException(ErrorCodes.InvalidArgument, "If-Match is one ETag of the pool, such as \"3\".", HeaderNames.IfMatch);
    }
}
