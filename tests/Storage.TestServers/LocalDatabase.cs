using System.Globalization;
using System.Net;

namespace Storage.TestServers;

/// <summary>A PostgreSQL cluster of its own. PostgreSQL refuses root, so root runs it as the user that its package made.</summary>
public static class LocalDatabase
{
    private const string ServerUser = "postgres";

    /// <summary>The folder with the programs of the newest version.</summary>
    public static string? FindPrograms()
    {
        const string Packages = "/usr/lib/postgresql";
        var versions = Directory.Exists(Packages) ? Directory.GetDirectories(Packages) : [];
        var folders = versions
            .OrderByDescending(folder => int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var version) ? version : 0)
            .Select(folder => Path.Combine(folder, "bin"))
            .Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries));
        return folders.FirstOrDefault(folder => File.Exists(Path.Combine(folder, "initdb")));
    }

    public static Database Create(string folder, bool durable)
    {
        var programs = FindPrograms()!;
        var user = new NetworkCredential("storage", Guid.NewGuid().ToString("N"));
        var port = LoopbackPorts.Take();
        string In(string name) => Path.Combine(folder, name);

        ProgramStart Program(string name, params string[] arguments) => AsServerUser(
            new ProgramStart(Path.Combine(programs, name), arguments, folder, In("postgresql.log"))
            {
                Environment = new Dictionary<string, string> { ["LC_ALL"] = "C" },
            });

        async Task PrepareAsync()
        {
            await File.WriteAllTextAsync(In("password"), user.Password);
            if (Environment.IsPrivilegedProcess)
                await GuardedProcess.RunAsync(
                    new ProgramStart("chown", ["-R", $"{ServerUser}:", folder], folder, In("postgresql.log")), TimeSpan.FromSeconds(10));
            await GuardedProcess.RunAsync(
                Program(
                    "initdb", "--pgdata", In("data"), "--username", user.UserName, "--pwfile", In("password"),
                    "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync"),
                TimeSpan.FromSeconds(60));
        }

        var server = Program(
            "postgres", "-D", In("data"), "-p", port.ToString(CultureInfo.InvariantCulture),
            "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=300", "-c", durable ? "fsync=on" : "fsync=off");
        return new Database(new LocalServer(server, "INT", PrepareAsync, In("data")), "127.0.0.1", port, user);
    }

    private static ProgramStart AsServerUser(ProgramStart start) => !Environment.IsPrivilegedProcess ? start : start with
    {
        Program = "setpriv",
        Arguments = [$"--reuid={ServerUser}", $"--regid={ServerUser}", "--clear-groups", start.Program, .. start.Arguments],
    };
}
