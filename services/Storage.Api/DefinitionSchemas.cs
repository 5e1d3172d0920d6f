using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Storage.Contracts;

namespace Storage.Api;

/// <summary>The JSON schemas of definitions, as far as the generator cannot see what a converter reads.</summary>
internal static class DefinitionSchemas
{
    private const string Sizes = @"^\s*[0-9]+\s*([KkMmGgTtPpEe]([Ii]?[Bb])?|[Bb]([Yy][Tt][Ee][Ss]?)?)?\s*$";
    private const string Modes = "^0{0,5}[0-7]{1,3}$";

    public static OpenApiOptions AddDefinitionSchemas(this OpenApiOptions options) => options.AddSchemaTransformer((schema, context, _) =>
    {
        Describe(schema, context.JsonPropertyInfo);
        return Task.CompletedTask;
    });

    private static void Describe(OpenApiSchema schema, JsonPropertyInfo? property)
    {
        if (ConverterOf(property) is { } converter)
        {
            if (converter == typeof(ByteSizeJsonConverter))
                Size(schema);
            else if (converter == typeof(OctalModeJsonConverter))
                (schema.Type, schema.Pattern) = (JsonSchemaType.String | JsonSchemaType.Null, Modes);
        }
        else if (schema is { Type: { } types, Pattern: not null } && types.HasFlag(JsonSchemaType.Integer))
        {
            // Numbers are read from strings too, which is nothing to rely on.
            schema.Type = types & ~JsonSchemaType.String;
            schema.Pattern = null;
        }
        else if (schema is { Enum.Count: > 0, Type: null })
        {
            schema.Type = JsonSchemaType.String;
        }
    }

    private static void Size(OpenApiSchema schema)
    {
        schema.Format = null;
        schema.OneOf =
        [
            new OpenApiSchema { Type = JsonSchemaType.Integer | JsonSchemaType.Null, Format = "int64", Minimum = "0" },
            new OpenApiSchema { Type = JsonSchemaType.String, Pattern = Sizes },
        ];
    }

    private static Type? ConverterOf(JsonPropertyInfo? property) => property?.AttributeProvider?
        .GetCustomAttributes(typeof(JsonConverterAttribute), inherit: true).Cast<JsonConverterAttribute>().SingleOrDefault()?.ConverterType;
}
