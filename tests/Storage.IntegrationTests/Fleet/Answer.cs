using System.Net;
using System.Text.Json;

namespace Storage.IntegrationTests;

/// <summary>An answer of the API, read to its end.</summary>
/// <param name="Text">The body as it came.</param>
public sealed record Answer(HttpStatusCode Status, string Text, string? ContentType, Uri? Location, string? ETag)
{
    /// <summary>The body as JSON.</summary>
    public JsonElement Body
    {
        get
        {
            try
            {
                return JsonDocument.Parse(Text).RootElement;
            }
            catch (JsonException e)
            {
                throw new InvalidOperationException($"The answer {(int)Status} is not JSON: {Text}", e);
            }
        }
    }

    public bool Succeeded => (int)Status is >= 200 and < 300;

    /// <summary>This answer, where it is one of success.</summary>
    /// <exception cref="InvalidOperationException">With status and body of any other.</exception>
    public Answer OrThrow() => Succeeded ? this : throw new InvalidOperationException($"The API answered {(int)Status} {Status}: {Text}");

    public static async Task<Answer> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken) => new(
        response.StatusCode,
        await response.Content.ReadAsStringAsync(cancellationToken),
        response.Content.Headers.ContentType?.MediaType,
        response.Headers.Location,
        response.Headers.ETag?.ToString());
}
