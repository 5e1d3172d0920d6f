using System.Diagnostics;
using System.Reflection;
using System.Text.Json;
using MassTransit;
using Storage.Contracts;
using Storage.Hosting;
using Storage.Ledger;

namespace Storage.Api;

/// <summary>
/// The bus door for MassTransit clients: every command on <see cref="Queues.Commands"/>. Answers <see cref="CommandAccepted"/> or
/// <see cref="CommandRejected"/> where an answer is asked for; a refusal is an answer, not a fault; without anyone to answer it is a
/// dead letter.
/// </summary>
public static class CommandHandlers
{
    private static readonly MethodInfo AddHandler =
        typeof(CommandHandlers).GetMethod(nameof(Handle), BindingFlags.NonPublic | BindingFlags.Static)!;

    public static BusEndpoint Endpoint { get; } = new(Queues.Commands, (services, endpoint) =>
    {
        foreach (var command in CommandTypes.All)
            AddHandler.MakeGenericMethod(command.Type).Invoke(null, [services, endpoint]);
    });

    private static void Handle<T>(IServiceProvider services, IReceiveEndpointConfigurator endpoint)
        where T : class, ICommand
    {
        endpoint.Handler<T>(async context =>
        {
            var intake = services.GetRequiredService<CommandIntake>();
            var log = services.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(CommandHandlers));
            var command = WithId(context.Message, context.MessageId);
            try
            {
                var deadline = DeadlineHeader.Read(context.Headers.Get<string>(DeadlineHeader.Name));
                var operation = await intake.AcceptAsync(command, Activity.Current?.Id, context.CancellationToken, deadline: deadline);
                await context.AnswerAsync(new CommandAccepted(operation.Id, operation.State));
            }
            catch (StorageException e)
            {
                Log.CommandRefused(log, command.CommandId, e.Error.Code, e.Error.Message);
                // A refusal that nobody hears of is a dead letter.
                if (context.ResponseAddress is null)
                    throw;
                await context.AnswerAsync(new CommandRejected(command.CommandId, e.Error));
            }
        });
    }

    // A command without an id must still be one operation when its message is delivered again.
    private static T WithId<T>(T command, Guid? id)
        where T : class, ICommand
    {
        if (command.CommandId is not null || id is null)
            return command;
        var json = JsonSerializer.SerializeToNode(command, StorageJson.Options)!.AsObject();
        json["commandId"] = id;
        return json.Deserialize<T>(StorageJson.Options)!;
    }
}
