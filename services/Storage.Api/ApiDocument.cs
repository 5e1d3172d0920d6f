using System.Text.Json.Nodes;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Net.Http.Headers;
using Microsoft.OpenApi;
using Storage.Hosting;

namespace Storage.Api;

/// <summary>The OpenAPI document: what the endpoints' types say, and the headers and errors that all of them have.</summary>
public static class ApiDocument
{
    public static IServiceCollection AddApiDocument(this IServiceCollection services) => services.AddOpenApi("v1", options =>
    {
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new OpenApiInfo
            {
                Title = "Storage API",
                Version = ServiceTelemetry.Version,
                Description = "Storage pools and volumes of many hosts. Every command answers 202 with an operation, which goes on by itself.",
            };
            document.Components ??= new OpenApiComponents();
            document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
            {
                ["bearer"] = new OpenApiSecurityScheme
                {
                    Type = SecuritySchemeType.Http,
                    Scheme = "bearer",
                    Description = "Needed where Api:Token is set.",
                },
            };
            document.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference("bearer", document)] = [] }, []];
            return Task.CompletedTask;
        });
        options.AddDefinitionSchemas();
        options.AddOperationTransformer(DescribeAsync);
    });

    private static async Task DescribeAsync(
        OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        var problem = await context.GetOrCreateSchemaAsync(typeof(Problem), null, cancellationToken);
        operation.Responses ??= [];
        operation.Responses["default"] = new OpenApiResponse
        {
            Description = "The problem, by RFC 9457. Its code says what to do about it.",
            Content = new Dictionary<string, OpenApiMediaType> { [Problem.MediaType] = new OpenApiMediaType { Schema = problem } },
        };
        NameEnumerations(operation, context);
        if (metadata.OfType<EntityTagged>().Any())
            AddResponseHeader(operation, "200", HeaderNames.ETag, "The version of the definition.");
        if (metadata.OfType<Fresh>().Any())
            DescribeAge(operation);
        if (metadata.OfType<ReadsArrays>().Any())
            AllowArray(operation);
        if (metadata.OfType<CommandEndpoint>().FirstOrDefault() is { } command)
            DescribeCommand(operation, command);
    }

    private static void DescribeCommand(OpenApiOperation operation, CommandEndpoint command)
    {
        AddHeader(operation, IdempotencyKey.Header,
            "A uuid, which becomes the operation's id, or any string of 1 to 255 visible ASCII characters. "
            + "The same key with the same command is the same operation; with another command it is refused.");
        AddHeader(operation, "Prefer", $"wait=N waits up to N seconds, at most {WaitPreference.Limit}, for the end of the operation.");
        AddHeader(operation, ExpiresIn.Header,
            "Seconds, 1 to " + ExpiresIn.Limit + ". The operation expires (state and code expired) when it has not begun by then. "
            + "What has begun goes on. Not a part of the command: of requests with the same key the first one counts.");
        if (command.Conditional)
        {
            AddHeader(operation, HeaderNames.IfMatch, "The ETag of the definition to replace, or * for any.");
            AddHeader(operation, HeaderNames.IfNoneMatch, "* defines the pool only if it is not there yet.");
        }
        operation.Responses!["200"].Description = "The operation has succeeded (with Prefer: wait).";
        operation.Responses["202"].Description = "The command is accepted; the operation goes on by itself.";
        foreach (var status in new[] { "200", "202" })
        {
            AddResponseHeader(operation, status, HeaderNames.Location, "The operation.");
            AddResponseHeader(operation, status, "Preference-Applied", "The wait that was heeded.");
        }
    }

    private static void DescribeAge(OpenApiOperation operation)
    {
        AddHeader(operation, HeaderNames.CacheControl,
            "max-age=N: nothing is taken that was last seen on its host more than N seconds ago. What is older is looked at first, which is an "
            + "operation of this client. 504 (timeout) where the look takes longer than the answer waits, else the error that it ended with. "
            + "Without it the answer is what was last seen.");
        AddHeader(operation, "Prefer",
            $"wait=N: the answer waits up to N seconds, at most {WaitPreference.Limit}, for that look; {FreshReads.Patience.TotalSeconds} where nothing is said.");
        AddResponseHeader(operation, "200", HeaderNames.Age, "How many seconds ago it was last seen on its host.");
    }

    private static void AllowArray(OpenApiOperation operation)
    {
        if (operation.RequestBody?.Content is { } content && content.TryGetValue("application/json", out var json) && json.Schema is { } one)
        {
            json.Schema = new OpenApiSchema
            {
                OneOf = [one, new OpenApiSchema { Type = JsonSchemaType.Array, Items = one, MinItems = 1, MaxItems = Contracts.CreateVolumes.Limit }],
            };
        }
    }

    // The schema generator sees only that these parameters are read from a string.
    private static void NameEnumerations(OpenApiOperation operation, OpenApiOperationTransformerContext context)
    {
        foreach (var description in context.Description.ParameterDescriptions)
        {
            var type = description.ParameterDescriptor?.ParameterType;
            type = type is null ? null : Nullable.GetUnderlyingType(type) ?? type;
            if (type is not { IsGenericType: true } || type.GetGenericTypeDefinition() != typeof(WireName<>)
                || operation.Parameters?.FirstOrDefault(candidate => candidate.Name == description.Name) is not OpenApiParameter parameter)
                continue;
            parameter.Schema = new OpenApiSchema
            {
                Type = JsonSchemaType.String,
                Enum = WireNames.All(type.GetGenericArguments()[0]).Select(name => (JsonNode)JsonValue.Create(name)).ToList(),
            };
        }
    }

    private static void AddHeader(OpenApiOperation operation, string name, string description) =>
        (operation.Parameters ??= []).Add(new OpenApiParameter
        {
            Name = name,
            In = ParameterLocation.Header,
            Description = description,
            Schema = new OpenApiSchema { Type = JsonSchemaType.String },
        });

    private static void AddResponseHeader(OpenApiOperation operation, string status, string name, string description)
    {
        if (operation.Responses?.GetValueOrDefault(status) is OpenApiResponse response)
        {
            (response.Headers ??= new Dictionary<string, IOpenApiHeader>())[name] = new OpenApiHeader
            {
                Description = description,
                Schema = new OpenApiSchema { Type = JsonSchemaType.String },
            };
        }
    }
}
