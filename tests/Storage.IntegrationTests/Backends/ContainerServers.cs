using System.Net;
using Docker.DotNet.Models;
using DotNet.Testcontainers.Configurations;
using DotNet.Testcontainers.Containers;
using Testcontainers.PostgreSql;
using Testcontainers.RabbitMq;

namespace Storage.IntegrationTests;

/// <summary>Servers in containers of the Docker engine that answers here.</summary>
public static class ContainerServers
{
    private const int AmqpPort = 5672;
    private const int ManagementPort = 15672;
    private const int PostgresPort = 5432;

    /// <summary>Whether an engine answers that this version of Testcontainers can talk to.</summary>
    public static bool EngineAnswers() => TestcontainersSettings.OS.DockerEndpointAuthConfig is not null;

    // Fixed host ports: an engine gives a container another random one at each start, and tests restart them.
    public static (Broker Broker, Database Database) Create(TimeSpan? consumerTimeout)
    {
        var user = new NetworkCredential("storage", Guid.NewGuid().ToString("N"));
        var (amqp, management, postgres) = (LoopbackPorts.Take(), LoopbackPorts.Take(), LoopbackPorts.Take());
        var rabbit = new RabbitMqBuilder(Image("TEST_RABBITMQ_IMAGE", "rabbitmq:4-management-alpine"))
            .WithUsername(user.UserName)
            .WithPassword(user.Password)
            .WithEnvironment("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", Broker.ErlangArguments(consumerTimeout))
            .WithPortBinding(amqp, AmqpPort)
            .WithPortBinding(management, ManagementPort)
            .Build();
        // Testcontainers turns synchronous_commit off, which would lose commits of a server that is killed; the last word counts.
        var database = new PostgreSqlBuilder(Image("TEST_POSTGRES_IMAGE", "postgres:17-alpine"))
            .WithUsername(user.UserName)
            .WithPassword(user.Password)
            .WithPortBinding(postgres, PostgresPort)
            .WithCommand("-c", "synchronous_commit=on", "-c", "max_connections=300")
            .Build();
        return (new Broker(new ContainerServer(rabbit), rabbit.Hostname, amqp, management, user),
                new Database(new ContainerServer(database), database.Hostname, postgres, user));
    }

    private static string Image(string variable, string image) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } other ? other : image;

    private sealed class ContainerServer(DockerContainer container) : IServer
    {
        public string? Failure => container.State is TestcontainersStates.Dead ? "its container is dead" : null;

        public Task StartAsync(CancellationToken cancellationToken) => container.StartAsync(cancellationToken);

        public Task StopAsync() => container.StopAsync();

        public async Task KillAsync()
        {
            using var engine = TestcontainersSettings.OS.DockerEndpointAuthConfig.GetDockerClientBuilder().Build();
            await engine.Containers.KillContainerAsync(container.Id, new ContainerKillParameters { Signal = "SIGKILL" });
            await container.StopAsync();
        }

        public ValueTask DisposeAsync() => container.DisposeAsync();
    }
}
