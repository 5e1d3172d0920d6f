using Microsoft.Net.Http.Headers;
using Storage.Contracts;

namespace Storage.Api;

/// <summary>The media types that an endpoint can answer with, the preferred one first. JSON alone where nothing is said.</summary>
public sealed record Offers(params string[] MediaTypes)
{
    public static readonly Offers Json = new("application/json");

    public static readonly Offers Definition = new("application/json", "application/xml", "text/xml");

    public static readonly Offers Events = new("application/json", "text/event-stream");
}

/// <summary>Which of the offers a request accepts (RFC 9110, section 12.5.1).</summary>
public static class ContentNegotiation
{
    /// <exception cref="StorageException"><see cref="ErrorCodes.NotAcceptable"/>.</exception>
    public static string Choose(HttpRequest request, Offers offers)
    {
        var accept = request.Headers.Accept;
        // What nearly all say needs no weighing.
        if (accept.Count == 0 || accept is ["*/*"])
            return offers.MediaTypes[0];
        if (accept is [{ } only] && Array.IndexOf(offers.MediaTypes, only) is var offer and >= 0)
            return offers.MediaTypes[offer];
        if (!MediaTypeHeaderValue.TryParseList(accept, out var accepted))
            throw NotAcceptable(offers);
        return offers.MediaTypes
            .Select(type => (type, quality: Quality(accepted, type)))
            .Where(candidate => candidate.quality > 0)
            .OrderByDescending(candidate => candidate.quality)
            .Select(candidate => candidate.type)
            .FirstOrDefault() ?? throw NotAcceptable(offers);
    }

    // The most specific range that matches says the quality.
    private static double Quality(IList<MediaTypeHeaderValue> accepted, string offer)
    {
        var media = MediaTypeHeaderValue.Parse(offer);
        return accepted
            .Where(range => range.MatchesAllTypes
                || range.Type == media.Type && (range.MatchesAllSubTypes || range.SubType == media.SubType))
            .OrderByDescending(range => range.MatchesAllTypes ? 0 : range.MatchesAllSubTypes ? 1 : 2)
            .Select(range => range.Quality ?? 1)
            .FirstOrDefault();
    }

    private static StorageException NotAcceptable(Offers offers) =>
        new(ErrorCodes.NotAcceptable, $"Offered: {string.Join(", ", offers.MediaTypes)}.", "Accept");
}
