using System.Diagnostics;
using Xunit;

namespace Storage.HostTests;

/// <summary>
/// A real glusterd with one brick for each volume, private to the tests of this process: own folder, loopback. Started when it is first
/// asked for, and ended when the process ends, however it does.
/// </summary>
internal sealed class GlusterServer
{
    private const string Guard = "\"$@\" & pid=$!; cat >/dev/null; kill -9 $pid; for b in $(cat \"$GLUSTER_FOLDER\"/wd/vols/*/run/*.pid \"$GLUSTER_FOLDER\"/run/vols/*/*.pid 2>/dev/null); do kill -9 $b; done; rm -rf \"$GLUSTER_FOLDER\"";
    private static readonly Lazy<GlusterServer> Server = new(() => new GlusterServer());

    private readonly string folder = Directory.CreateTempSubdirectory("gluster-").FullName;
    private readonly Process guard;
    private int volumes;

    private GlusterServer()
    {
        Requires.Root();
        var daemon = Requires.Tool("glusterd");
        Requires.Tool("mount.glusterfs");
        foreach (var part in new[] { "wd", "run", "bricks" })
            Directory.CreateDirectory(Path.Combine(folder, part));
        var settings = Path.Combine(folder, "glusterd.vol");
        File.WriteAllText(settings, $"""
            volume management
                type mgmt/glusterd
                option working-directory {folder}/wd
                option run-directory {folder}/run
                option glusterd-sockfile {Socket}
                option transport-type socket
                option transport.socket.listen-port 24007
                option transport.socket.bind-address 127.0.0.1
                option ping-timeout 0
                option event-threads 1
                option base-port 49352
                option max-port 49452
            end-volume

            """);
        var start = new ProcessStartInfo("setsid", ["sh", "-c", Guard, "guard", daemon, "-N", "-f", settings, "-p", $"{folder}/pid", "-l", $"{folder}/log"])
        {
            RedirectStandardInput = true,
            Environment = { ["GLUSTER_FOLDER"] = folder },
        };
        guard = Process.Start(start)!;
        for (var watch = Stopwatch.StartNew(); !Answers(); Thread.Sleep(100))
        {
            if (guard.HasExited || watch.Elapsed > TimeSpan.FromSeconds(60))
                throw new InvalidOperationException($"glusterd does not answer:\n{File.ReadAllText($"{folder}/log")}");
        }
    }

    public static GlusterServer Running => Server.Value;

    private string Socket => $"{folder}/glusterd.sock";

    /// <summary>A started volume with one brick.</summary>
    public string CreateVolume()
    {
        var name = $"gv{Interlocked.Increment(ref volumes)}";
        var brick = Path.Combine(folder, "bricks", name);
        // An address of this machine other than loopback is not to be had everywhere; its own name is.
        Gluster("volume", "create", name, $"{Environment.MachineName}:{brick}", "force");
        Gluster("volume", "start", name);
        for (var watch = Stopwatch.StartNew(); !Gluster("volume", "status", name, "--xml").Contains("<status>1</status>", StringComparison.Ordinal); Thread.Sleep(100))
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(60), $"The brick of {name} does not come up.");
        return name;
    }

    public void DeleteVolume(string name)
    {
        Gluster("volume", "stop", name, "force");
        Gluster("volume", "delete", name);
    }

    /// <summary>Its brick dies; the volume is there and nobody answers for it.</summary>
    public void KillBrick(string name) => HostProgram.Run("kill", "-9", BrickOf(name));

    /// <summary>The brick comes back, once glusterd has noticed that it is gone.</summary>
    public void ReviveBrick(string name)
    {
        for (var watch = Stopwatch.StartNew(); !Lives(BrickOf(name)); Thread.Sleep(200))
        {
            Gluster("volume", "start", name, "force");
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(60), $"The brick of {name} does not come back.");
        }
    }

    /// <summary>A process that has ended and that nobody has asked after has no memory any more.</summary>
    private static bool Lives(string process) => File.Exists($"/proc/{process}/statm") && !File.ReadAllText($"/proc/{process}/statm").StartsWith("0 ", StringComparison.Ordinal);

    private string BrickOf(string name) => File.ReadAllText(
        Directory.GetFiles(Path.Combine(folder, "run", "vols", name), "*.pid").Single()).Trim();

    private bool Answers()
    {
        try
        {
            return File.Exists(Socket) && Gluster("volume", "list") is not null;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    private string Gluster(params string[] arguments) =>
        HostProgram.Run("gluster", [$"--glusterd-sock={Socket}", $"--log-file={folder}/cli.log", "--mode=script", .. arguments]);
}
