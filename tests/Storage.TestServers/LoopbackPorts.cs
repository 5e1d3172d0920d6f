using System.Net;
using System.Net.Sockets;

namespace Storage.TestServers;

/// <summary>Free ports for servers that are stopped and started again on the same port.</summary>
public static class LoopbackPorts
{
    // Below the range from which the kernel gives ports to outgoing connections: none of those can take a port while its server is down.
    private const int First = 20000;
    private const int Last = 29999;

    private static readonly HashSet<int> Taken = [];
    private static readonly Lock Gate = new();

    /// <summary>A port that nobody listens on, and that is not handed out again by this process.</summary>
    public static int Take()
    {
        lock (Gate)
        {
            while (true)
            {
                var port = Random.Shared.Next(First, Last + 1);
                if (Taken.Contains(port) || !IsFree(port))
                    continue;
                Taken.Add(port);
                return port;
            }
        }
    }

    private static bool IsFree(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Any, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
