using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>Where the ledger is. Section <c>Ledger</c>.</summary>
public sealed class LedgerOptions
{
    public const string Section = "Ledger";

    /// <summary>An Npgsql connection string, or <c>Data Source=file.db</c> for SQLite.</summary>
    public string Connection { get; set; } = "Host=127.0.0.1;Database=storage;Username=storage;Password=storage";

    /// <summary>A worker that is silent for so long is lost: what it holds of work that any replica may do goes to another one.</summary>
    public TimeSpan LostAfter { get; set; } = WorkerAnnouncement.LostAfter;

    public bool IsSqlite => Connection.TrimStart().StartsWith("Data Source", StringComparison.OrdinalIgnoreCase);
}
