using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Storage.Tests.Ledger;

/// <summary>Keeps what is logged.</summary>
public sealed class LogLines : ILoggerProvider, ILogger
{
    public ConcurrentQueue<(int EventId, string Text)> Lines { get; } = [];

    public ILogger CreateLogger(string categoryName) => this;

    public bool IsEnabled(LogLevel logLevel) => true;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Lines.Enqueue((eventId.Id, formatter(state, exception)));

    public void Dispose()
    {
    }
}
