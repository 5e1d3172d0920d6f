using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>
/// A command as it is accepted: with its id, and the fingerprint that tells it from another command under the same id. The deadline is no
/// part of that: a client that says "in ten seconds" and asks again means the same operation.
/// </summary>
public sealed record Submission(
    Guid Id, CommandType Type, ICommand Command, string Arguments, string Fingerprint, EventCause Cause, string? TraceParent,
    DateTimeOffset? Deadline = null)
{
    public static Submission Of(ICommand command, EventCause cause, string? traceParent, DateTimeOffset? deadline = null)
    {
        var type = CommandTypes.Of(command);
        var arguments = JsonSerializer.SerializeToNode(command, type.Type, StorageJson.Options)!.AsObject();
        arguments.Remove("commandId");
        var json = arguments.ToJsonString(StorageJson.Options);
        return new Submission(
            command.CommandId ?? Guid.CreateVersion7(), type, command, json, FingerprintOf(type.Name, json), cause, traceParent, deadline);
    }

    /// <summary>The command of a stored operation.</summary>
    public static ICommand Read(OperationRow operation)
    {
        var arguments = JsonNode.Parse(operation.Arguments)!.AsObject();
        arguments["commandId"] = operation.Id;
        return (ICommand)arguments.Deserialize(CommandTypes.Find(operation.Command)!.Type, StorageJson.Options)!;
    }

    private static string FingerprintOf(string name, string arguments) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{name}\n{arguments}")));
}
