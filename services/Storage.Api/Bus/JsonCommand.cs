using System.Text.Json;
using System.Text.Json.Nodes;
using Storage.Contracts;

namespace Storage.Api;

/// <summary>Reads a command from a plain-JSON message.</summary>
public static class JsonCommand
{
    public const int Limit = 8 << 20;

    /// <param name="body">A <see cref="SubmitCommand"/>, or the command's record where <paramref name="type"/> names the command.</param>
    /// <param name="type">The AMQP <c>type</c> property.</param>
    /// <param name="messageId">The AMQP <c>message-id</c>: the command's id where the body has none and it is a uuid.</param>
    /// <param name="deadline">The header <see cref="DeadlineHeader"/>: the deadline where the body has none.</param>
    /// <exception cref="StorageException">The message cannot be read; the field says where.</exception>
    public static (ICommand Command, DateTimeOffset? Deadline) Read(
        ReadOnlyMemory<byte> body, string? type, string? messageId, string? deadline = null)
    {
        if (body.Length > Limit)
            throw new StorageException(ErrorCodes.TooLarge, $"The body is over {Limit >> 20} MiB.");
        var fallback = Guid.TryParse(messageId, out var id) && id != Guid.Empty ? id : (Guid?)null;
        if (type is { Length: > 0 } and not nameof(SubmitCommand))
            return (Command(Find(type, "type"), StrictJson.Read<JsonElement>(body), null, fallback), DeadlineHeader.Read(deadline));

        var submit = StrictJson.Read<SubmitCommand>(body);
        try
        {
            return (Command(Find(submit.Command, "command"), submit.Arguments, submit.CommandId, fallback),
                submit.Deadline ?? DeadlineHeader.Read(deadline));
        }
        catch (StorageException e) when (e.Error.Field is { } field and not ("command" or "commandId" or DeadlineHeader.Name))
        {
            throw new StorageException(e.Error with { Field = field == "$" ? "arguments" : $"arguments.{field}" }, e);
        }
    }

    private static CommandType Find(string name, string field) => CommandTypes.Find(name)
        ?? throw new StorageException(ErrorCodes.InvalidArgument, $"There is no command '{name}'.", field);

    private static ICommand Command(CommandType type, JsonElement record, Guid? commandId, Guid? fallback)
    {
        var arguments = record.ValueKind == JsonValueKind.Object
            ? JsonObject.Create(record)!
            : throw new StorageException(ErrorCodes.InvalidDocument, "The command's record is an object.", "$");
        // Names are read in any case; the id must be there once, under whichever.
        var name = arguments.Select(member => member.Key)
            .FirstOrDefault(key => key.Equals("commandId", StringComparison.OrdinalIgnoreCase)) ?? "commandId";
        if (commandId is not null && arguments[name] is { } inner && !(inner.GetValueKind() == JsonValueKind.String
            && Guid.TryParse(inner.GetValue<string>(), out var same) && same == commandId))
            throw new StorageException(ErrorCodes.InvalidArgument, "The message has two ids of the command.", "commandId");
        arguments[name] ??= commandId ?? fallback;
        return (ICommand)StrictJson.Read(JsonSerializer.SerializeToUtf8Bytes(arguments), type.Type);
    }
}
