using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Storage.Hosting;

/// <summary>What a health check answers: its status, and that of each of its parts with the reason why it is not healthy.</summary>
/// <param name="Status"><c>Healthy</c>, <c>Degraded</c> or <c>Unhealthy</c>: the last one comes with the code 503.</param>
internal sealed record HealthAnswer(string Status, IReadOnlyDictionary<string, HealthAnswer.Part> Checks)
{
    internal sealed record Part(string Status, string? Reason);

    public static Task WriteAsync(HttpContext context, HealthReport report) => context.Response.WriteAsJsonAsync(
        new HealthAnswer(
            report.Status.ToString(),
            report.Entries.ToDictionary(entry => entry.Key, entry => new Part(entry.Value.Status.ToString(), entry.Value.Description))),
        context.RequestAborted);
}
