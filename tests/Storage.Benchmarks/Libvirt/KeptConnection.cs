using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Storage.Benchmarks.Libvirt;

/// <summary>
/// A connection that is kept for one request after the other, on which its thread waits: what a small client costs, as libvirt's library is
/// one. HttpClient takes as much processor time for a request as the API.
/// </summary>
internal sealed class KeptConnection : IDisposable
{
    private readonly TcpClient connection;
    private readonly NetworkStream stream;
    private readonly string headers;
    private byte[] buffer = new byte[64 * 1024];

    public KeptConnection(Uri server, string authorization)
    {
        connection = new TcpClient(server.Host, server.Port) { NoDelay = true };
        stream = connection.GetStream();
        headers = $"Host: {server.Authority}\r\nAuthorization: {authorization}\r\n\r\n";
    }

    /// <summary>The body of an answer that must be 200 and say how long it is; valid until the next request.</summary>
    public ReadOnlyMemory<byte> Get(string path)
    {
        stream.Write(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\n{headers}"));
        int read = 0, head;
        while ((head = buffer.AsSpan(0, read).IndexOf("\r\n\r\n"u8)) < 0)
            read += Receive(read);
        var body = head + 4;
        var end = body + LengthIn(Encoding.ASCII.GetString(buffer, 0, head), path);
        if (end > buffer.Length)
            Array.Resize(ref buffer, end);
        while (read < end)
            read += Receive(read);
        return buffer.AsMemory(body, end - body);
    }

    public void Dispose() => connection.Dispose();

    private int Receive(int at) => stream.Read(buffer, at, buffer.Length - at) is var count and > 0 ? count : throw new IOException("The API has closed the connection.");

    private static int LengthIn(string head, string path)
    {
        const string Length = "\r\nContent-Length:";
        var at = head.IndexOf(Length, StringComparison.OrdinalIgnoreCase);
        if (at < 0 || !head.StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal))
            throw new InvalidOperationException($"{path}: {head}");
        var value = head.AsSpan(at + Length.Length);
        return int.Parse(value.IndexOf('\r') is var end and >= 0 ? value[..end] : value, CultureInfo.InvariantCulture);
    }
}
