using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Metadata;
using Storage.Contracts;

namespace Storage.Api;

/// <summary>What holds for every endpoint before it does anything: its answer is acceptable, its query and its body are understood.</summary>
public sealed class RequestChecks : IEndpointFilter
{
    public ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        var metadata = http.GetEndpoint()!.Metadata;
        ContentNegotiation.Choose(http.Request, metadata.GetMetadata<Offers>() ?? Offers.Json);

        // A misspelt flag must not be passed over: the command would do something else than was meant.
        var known = metadata.GetOrderedMetadata<IParameterBindingMetadata>();
        foreach (var (name, values) in http.Request.Query)
        {
            if (!known.Any(parameter => string.Equals(parameter.Name, name, StringComparison.OrdinalIgnoreCase))
                || http.Request.RouteValues.ContainsKey(name))
                throw new StorageException(ErrorCodes.UnknownField, $"There is no query parameter '{name}' here.", name);
            // No name has a zero in it, and the database takes no text with one. A path with one does not come as far as here.
            if (values.Any(text => text?.Contains('\0', StringComparison.Ordinal) is true))
                throw new StorageException(ErrorCodes.InvalidArgument, $"'{name}' has a zero character.", name);
        }
        // Nor what is said where nobody listens.
        if (metadata.GetMetadata<IAcceptsMetadata>() is null && HasBody(http))
            throw new StorageException(ErrorCodes.InvalidArgument, "There is no body here: what can be said besides the path are query parameters.", "body");
        return next(context);
    }

    private static bool HasBody(HttpContext http) =>
        http.Request.ContentLength is not 0 && http.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: true };
}
