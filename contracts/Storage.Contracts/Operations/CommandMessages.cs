using System.Text.Json;

namespace Storage.Contracts;

// The bus door: how commands come in by message, and what is answered where an answer is asked for.

/// <summary>The plain-JSON form of any command, for <see cref="Queues.JsonCommands"/>.</summary>
/// <param name="Command">The command's name, such as <c>CreateVolume</c>.</param>
/// <param name="CommandId">The idempotency key; may stand in <paramref name="Arguments"/> instead.</param>
/// <param name="Arguments">The command's record.</param>
/// <param name="Deadline">The operation expires when it has not begun by then. Past ones are refused (<c>expired</c>).</param>
public sealed record SubmitCommand(string Command, JsonElement Arguments, Guid? CommandId = null, DateTimeOffset? Deadline = null);

/// <summary>The answer to a command that was accepted: its operation goes on by itself.</summary>
public sealed record CommandAccepted(Guid OperationId, OperationState State);

/// <summary>The answer to a command that was refused: nothing was done.</summary>
public sealed record CommandRejected(Guid? CommandId, StorageError Error);
