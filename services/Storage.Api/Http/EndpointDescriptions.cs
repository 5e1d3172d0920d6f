
namespace Storage.Api;

/// <summary>The endpoint submits a command: it takes and gives the headers of commands.</summary>
/// <param name="Conditional">It heeds If-Match and If-None-Match.</param>
public sealed record CommandEndpoint(bool Conditional);

/// <summary>The endpoint's answer carries an entity tag.</summary>
public sealed record EntityTagged;

/// <summary>The endpoint heeds the age that a client asks for, and tells that of its answer.</summary>
public sealed record Fresh;

/// <summary>A JSON array is read as well as one document.</summary>
public sealed record ReadsArrays;

/// <summary>What an endpoint reads and answers, for the OpenAPI document.</summary>
public static class EndpointDescriptions
{
    public static RouteHandlerBuilder Describes(this RouteHandlerBuilder endpoint, string name, string summary) =>
        endpoint.WithName(name).WithSummary(summary);

    public static RouteHandlerBuilder Reads<T>(this RouteHandlerBuilder endpoint, bool xml = false, bool arrays = false)
        where T : notnull
    {
        if (arrays)
            endpoint.WithMetadata(new ReadsArrays());
        return xml ? endpoint.Accepts<T>("application/json", "application/xml", "text/xml") : endpoint.Accepts<T>("application/json");
    }

    public static RouteHandlerBuilder TakesCommand(this RouteHandlerBuilder endpoint, bool conditional = false) => endpoint
        .WithMetadata(new CommandEndpoint(conditional))
        .Produces<OperationView>(StatusCodes.Status200OK)
        .Produces<OperationView>(StatusCodes.Status202Accepted);

    public static RouteHandlerBuilder Answers<T>(this RouteHandlerBuilder endpoint, Offers? offers = null, bool entityTag = false)
    {
        offers ??= Offers.Json;
        if (entityTag)
            endpoint.WithMetadata(new EntityTagged());
        return endpoint.WithMetadata(offers)
            .Produces<T>(StatusCodes.Status200OK, offers.MediaTypes[0], [.. offers.MediaTypes.Skip(1)]);
    }

    /// <summary>It reads by <see cref="FreshReads"/>.</summary>
    public static RouteHandlerBuilder AnswersFresh(this RouteHandlerBuilder endpoint) => endpoint.WithMetadata(new Fresh());
}
