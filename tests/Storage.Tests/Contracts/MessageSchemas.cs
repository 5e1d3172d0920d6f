using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Storage.Contracts;

namespace Storage.Tests;

/// <summary>JSON schemas of the contracts' types as <see cref="StorageJson"/> reads and writes them, one per type, by name.</summary>
internal sealed class MessageSchemas
{
    private const string Size = "ByteSize";
    private const string Mode = "OctalMode";

    private readonly SortedDictionary<string, JsonNode> schemas = new(StringComparer.Ordinal);
    private readonly JsonSchemaExporterOptions exporter;

    public MessageSchemas() =>
        exporter = new JsonSchemaExporterOptions { TreatNullObliviousAsNonNullable = true, TransformSchemaNode = Transform };

    public static JsonObject Reference(string name) => new() { ["$ref"] = $"#/components/schemas/{name}" };

    /// <summary>A reference to a type's schema, which is added with all that it refers to.</summary>
    public JsonObject Of(Type type)
    {
        if (!schemas.ContainsKey(type.Name))
        {
            schemas[type.Name] = new JsonObject();
            schemas[type.Name] = StorageJson.Options.GetJsonSchemaAsNode(type, exporter);
        }
        return Reference(type.Name);
    }

    public JsonObject ToJson() => new(schemas.Select(schema => KeyValuePair.Create<string, JsonNode?>(schema.Key, schema.Value.DeepClone())));

    private JsonObject Transform(JsonSchemaExporterContext context, JsonNode node)
    {
        var type = Nullable.GetUnderlyingType(context.TypeInfo.Type) ?? context.TypeInfo.Type;
        var nested = context.Path.Length > 0;
        var schema = nested && type.Assembly == typeof(ICommand).Assembly
            ? Optional(Of(type), AllowsNull(node))
            : Plain(node, type);
        if (!nested && context.TypeInfo.Kind == JsonTypeInfoKind.Object)
            Complete(schema, context.TypeInfo);
        if (context.PropertyInfo is { AttributeProvider: not null } property)
            Describe(schema, XmlComments.Of(property.DeclaringType, MemberName(property)));
        else if (!nested)
            Describe(schema, type.IsEnum ? DescribeEnum(type) : XmlComments.Of(type));
        return schema;
    }

    /// <summary>
    /// What the exporter does not see: the forms that converters read, and that what may be null may be missing. It gives a property
    /// of unknown form with a default to nobody for transforming.
    /// </summary>
    private void Complete(JsonObject schema, JsonTypeInfo type)
    {
        foreach (var property in type.Properties)
        {
            if (schema["properties"]?[property.Name] is not JsonObject known)
                continue;
            if (Special(property) is { } special)
                schema["properties"]![property.Name] = known = Optional(special, Nullable.GetUnderlyingType(property.PropertyType) is not null);
            if (known.TryGetPropertyValue("default", out var value) && value is null)
                known.Remove("default");
            if (known["description"] is null)
                Describe(known, XmlComments.Of(type.Type, MemberName(property)));
        }
        schema.Remove("required");
        var required = type.Properties.Where(property => property.IsRequired).Select(property => (JsonNode)property.Name).ToArray();
        if (required.Length > 0)
            schema["required"] = new JsonArray(required);
    }

    /// <summary>The types that a converter reads in its own way.</summary>
    private JsonObject? Special(JsonPropertyInfo property)
    {
        var attribute = property.AttributeProvider?.GetCustomAttributes(typeof(JsonConverterAttribute), true)
            .Cast<JsonConverterAttribute>().SingleOrDefault();
        if (attribute?.ConverterType == typeof(ByteSizeJsonConverter))
        {
            schemas.TryAdd(Size, new JsonObject
            {
                ["description"] = "A size. It is written as a number of bytes; in commands it may also be a string with a unit, such as \"10 GiB\".",
                ["oneOf"] = new JsonArray(
                    new JsonObject { ["type"] = "integer", ["format"] = "int64", ["minimum"] = 0 },
                    new JsonObject
                    {
                        ["type"] = "string",
                        ["pattern"] = @"^\s*[0-9]+\s*([KkMmGgTtPpEe]([Ii]?[Bb])?|[Bb]([Yy][Tt][Ee][Ss]?)?)?\s*$",
                    }),
            });
            return Reference(Size);
        }
        if (attribute?.ConverterType == typeof(OctalModeJsonConverter))
        {
            schemas.TryAdd(Mode, new JsonObject
            {
                ["description"] = "A file mode as an octal string, at most 0777.",
                ["type"] = "string",
                ["pattern"] = "^0{0,5}[0-7]{1,3}$",
            });
            return Reference(Mode);
        }
        return null;
    }

    private static JsonObject Plain(JsonNode node, Type type)
    {
        // Anything goes: the schema of JsonElement.
        if (node is not JsonObject schema)
            return [];
        if (schema["type"] is JsonArray types && types.Any(IsNumber))
        {
            // Numbers are read from strings too, which is nothing to rely on.
            types.RemoveAll(name => (string?)name == "string");
            schema.Remove("pattern");
            if (types.Count == 1)
                schema["type"] = (string?)types[0];
        }
        if (type == typeof(long) || type == typeof(int))
            schema["format"] = type == typeof(long) ? "int64" : "int32";
        if (type.IsEnum)
            schema["type"] = "string";
        if (schema.TryGetPropertyValue("default", out var value) && value is null)
            schema.Remove("default");
        return schema;
    }

    private static bool IsNumber(JsonNode? type) => (string?)type is "integer" or "number";

    private static bool AllowsNull(JsonNode node) =>
        node is JsonObject schema
        && ((schema["type"] is JsonArray types && types.Any(type => (string?)type == "null"))
            || (schema["enum"] is JsonArray values && values.Any(value => value is null)));

    private static JsonObject Optional(JsonObject schema, bool nullable) =>
        nullable ? new JsonObject { ["anyOf"] = new JsonArray(schema, new JsonObject { ["type"] = "null" }) } : schema;

    private static void Describe(JsonObject schema, string? description)
    {
        if (description is null)
            return;
        // What stands beside a reference is not read.
        if (schema["$ref"] is { } reference)
        {
            schema.Remove("$ref");
            schema["allOf"] = new JsonArray(new JsonObject { ["$ref"] = reference.DeepClone() });
        }
        schema.Insert(0, "description", description);
    }

    private static string? DescribeEnum(Type type)
    {
        var members = Enum.GetNames(type).Select(name => (Name: name, Comment: XmlComments.OfField(type, name)))
            .Where(member => member.Comment is not null)
            .Select(member => $"{JsonSerializer.SerializeToElement(Enum.Parse(type, member.Name), type, StorageJson.Options)}: {member.Comment}");
        return string.Join(' ', new[] { XmlComments.Of(type) }.Concat(members).OfType<string>()) is { Length: > 0 } text ? text : null;
    }

    private static string MemberName(JsonPropertyInfo property) => ((System.Reflection.MemberInfo)property.AttributeProvider!).Name;
}
