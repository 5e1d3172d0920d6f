using System.Buffers;
using System.Text;
using CliWrap;

namespace Storage.Worker;

/// <summary>Keeps the start of an output up to a limit, and tells when there is more. The rest is read and dropped, so that the tool never blocks.</summary>
internal sealed class OutputStart(int limit, Action onOverflow, Action<string>? onText)
{
    private readonly ArrayBufferWriter<byte> _kept = new();
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private long _total;

    /// <summary>How much was printed so far, in bytes.</summary>
    public long Total => Volatile.Read(ref _total);

    public string Text => Encoding.UTF8.GetString(_kept.WrittenSpan);

    public bool Overflown { get; private set; }

    public PipeTarget Target => PipeTarget.Create(async (source, cancellationToken) =>
    {
        var buffer = new byte[64 << 10];
        int read;
        while ((read = await source.ReadAsync(buffer, cancellationToken)) > 0)
        {
            Volatile.Write(ref _total, _total + read);
            onText?.Invoke(Decode(buffer.AsSpan(0, read)));
            if (Overflown)
                continue;
            if (_kept.WrittenCount + read <= limit)
            {
                _kept.Write(buffer.AsSpan(0, read));
                continue;
            }
            Overflown = true;
            onOverflow();
        }
    });

    private string Decode(ReadOnlySpan<byte> bytes)
    {
        var text = new char[Encoding.UTF8.GetMaxCharCount(bytes.Length)];
        return new string(text, 0, _decoder.GetChars(bytes, text, flush: false));
    }
}

/// <summary>Keeps the end of an output.</summary>
internal sealed class OutputTail(int limit)
{
    private readonly byte[] _ring = new byte[limit];
    private long _total;

    /// <summary>How much was printed so far, in bytes.</summary>
    public long Total => Volatile.Read(ref _total);

    public string Text
    {
        get
        {
            var length = (int)Math.Min(_total, limit);
            var text = new byte[length];
            for (var i = 0; i < length; i++)
                text[i] = _ring[(_total - length + i) % limit];
            return Encoding.UTF8.GetString(text).Trim();
        }
    }

    public PipeTarget Target => PipeTarget.Create(async (source, cancellationToken) =>
    {
        var buffer = new byte[limit];
        int read;
        while ((read = await source.ReadAsync(buffer, cancellationToken)) > 0)
        {
            for (var i = 0; i < read; i++)
                _ring[_total++ % limit] = buffer[i];
        }
    });
}
