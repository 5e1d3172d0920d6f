using System.Globalization;
using Microsoft.Extensions.Primitives;

namespace Storage.Api;

/// <summary>
/// <c>Prefer: wait=N</c> (RFC 7240): how many seconds the client wants to wait for the end of its operation, at most
/// <see cref="Limit"/>. Preferences that are unknown or cannot be read are passed over, as that standard wants it.
/// </summary>
public static class WaitPreference
{
    public const int Limit = 300;

    public static TimeSpan? Read(StringValues prefer)
    {
        foreach (var preference in prefer.SelectMany(line => (line ?? "").Split(',')))
        {
            var pair = preference.Split(';')[0].Split('=', 2, StringSplitOptions.TrimEntries);
            if (!pair[0].Equals("wait", StringComparison.OrdinalIgnoreCase))
                continue;
            // The first one of a name counts.
            return pair.Length == 2 && ulong.TryParse(pair[1].Trim('"'), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
                ? TimeSpan.FromSeconds(Math.Min(seconds, Limit))
                : null;
        }
        return null;
    }

    public static string Applied(TimeSpan wait) => string.Create(CultureInfo.InvariantCulture, $"wait={(int)wait.TotalSeconds}");
}
