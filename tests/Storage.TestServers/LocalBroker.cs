using System.Globalization;
using System.Net;

namespace Storage.TestServers;

/// <summary>A RabbitMQ node of its own: it shares no file, no port and no Erlang port mapper with another one on this machine.</summary>
public static class LocalBroker
{
    /// <summary>
    /// The server's own start script. The one on the PATH of Debian is another: it changes to user rabbitmq and to fixed folders.
    /// </summary>
    public static string? FindServer() =>
        new[] { "/usr/lib/rabbitmq/bin/rabbitmq-server", "/opt/rabbitmq/sbin/rabbitmq-server" }.FirstOrDefault(File.Exists);

    /// <param name="consumerTimeout">As <see cref="Broker.ErlangArguments"/>.</param>
    public static async Task<Broker> CreateAsync(string folder, TimeSpan? consumerTimeout = null)
    {
        var user = new NetworkCredential("storage", Guid.NewGuid().ToString("N"));
        var (port, management, distribution, mapper) =
            (LoopbackPorts.Take(), LoopbackPorts.Take(), LoopbackPorts.Take(), LoopbackPorts.Take());
        string In(string name) => Path.Combine(folder, name);
        foreach (var name in new[] { "home", "mnesia", "config" })
            Directory.CreateDirectory(In(name));
        await File.WriteAllTextAsync(In("enabled_plugins"), "[rabbitmq_management].\n");
        await File.WriteAllTextAsync(In("rabbitmq.conf"), $"""
            listeners.tcp.1 = 127.0.0.1:{port}
            management.tcp.ip = 127.0.0.1
            management.tcp.port = {management}
            default_user = {user.UserName}
            default_pass = {user.Password}
            disk_free_limit.absolute = 100MB

            """);
        var environment = new Dictionary<string, string>
        {
            ["HOME"] = In("home"),
            ["LC_ALL"] = "C.UTF-8",
            ["ERL_EPMD_ADDRESS"] = "127.0.0.1",
            ["ERL_EPMD_PORT"] = mapper.ToString(CultureInfo.InvariantCulture),
            ["RABBITMQ_CONFIG_FILE"] = In("rabbitmq.conf"),
            ["RABBITMQ_CONF_ENV_FILE"] = "/dev/null",
            ["RABBITMQ_DIST_PORT"] = distribution.ToString(CultureInfo.InvariantCulture),
            ["RABBITMQ_ENABLED_PLUGINS_FILE"] = In("enabled_plugins"),
            ["RABBITMQ_GENERATED_CONFIG_DIR"] = In("config"),
            ["RABBITMQ_LOGS"] = "-",
            ["RABBITMQ_LOG_BASE"] = folder,
            ["RABBITMQ_MNESIA_BASE"] = In("mnesia"),
            ["RABBITMQ_NODENAME"] = $"storage{port}@localhost",
            ["RABBITMQ_PID_FILE"] = In("pid"),
            ["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"] = $"-kernel inet_dist_use_interface {{127,0,0,1}} {Broker.ErlangArguments(consumerTimeout)}",
        };
        // A node that finds no port mapper starts one that stays behind for ever: give it one that does not.
        var names = new LocalServer(
            new ProgramStart("epmd", ["-address", "127.0.0.1", "-port", mapper.ToString(CultureInfo.InvariantCulture)], folder, In("epmd.log")),
            "TERM");
        await names.StartAsync(CancellationToken.None);
        var node = new LocalServer(
            new ProgramStart(FindServer()!, [], folder, In("rabbitmq.log")) { Environment = environment }, "TERM");
        return new Broker(new NodeWithMapper(node, names), "127.0.0.1", port, management, user);
    }

    private sealed class NodeWithMapper(IServer node, IServer names) : IServer
    {
        public string? Failure => node.Failure;

        public Task StartAsync(CancellationToken cancellationToken) => node.StartAsync(cancellationToken);

        public Task StopAsync() => node.StopAsync();

        public Task KillAsync() => node.KillAsync();

        public async ValueTask DisposeAsync()
        {
            await node.DisposeAsync();
            await names.DisposeAsync();
        }
    }
}
