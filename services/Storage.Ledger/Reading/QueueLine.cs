using System.Globalization;
using Microsoft.EntityFrameworkCore;

namespace Storage.Ledger;

/// <summary>What stands before a queued operation.</summary>
/// <param name="Count">How many older operations it must wait for.</param>
/// <param name="First">The oldest of them, at most <see cref="QueueLine.Shown"/>.</param>
/// <param name="Seconds">
/// The sum of their usual durations (<see cref="UsualDurations"/>); null where one of them has none yet.
/// </param>
public sealed record StandsBefore(int Count, IReadOnlyList<Guid> First, double? Seconds)
{
    public static StandsBefore Nothing { get; } = new(0, [], 0);
}

/// <summary>
/// Reads who stands before queued operations. One statement for a whole page, whose answer is bounded by the page: the database goes along
/// the lines of the resources concerned once, counting, and gives the page's own places and the heads of the lines.
/// </summary>
public static class QueueLine
{
    /// <summary>How many of those before an operation are named.</summary>
    public const int Shown = 10;

    private const string Volumes = "/volumes/";

    /// <param name="operations">Queued operations.</param>
    /// <param name="usual">Seconds by <see cref="OperationRow.Kind"/>.</param>
    public static async Task<IReadOnlyDictionary<Guid, StandsBefore>> ReadAsync(
        LedgerDb db, IReadOnlyCollection<Guid> operations, IReadOnlyDictionary<string, double> usual, CancellationToken cancellationToken)
    {
        if (operations.Count == 0)
            return new Dictionary<Guid, StandsBefore>();
        var (sql, values) = Statement(operations, usual);
        var places = await db.Database.SqlQueryRaw<Place>(sql, values).ToListAsync(cancellationToken);
        var heads = places.Where(place => place.Head).ToLookup(place => place.Resource);
        var before = places.Where(place => place.Asked && place.CountBefore > 0).GroupBy(place => place.OperationId)
            .ToDictionary(own => own.Key, own => Before(own, heads));
        // Only operations on several volumes can meet the same one twice.
        var several = places.Where(place => place.Asked && place.CountBefore > 0 && place.Resource.Contains(Volumes, StringComparison.Ordinal))
            .GroupBy(place => place.OperationId).Where(own => own.Count() > 1).Select(own => own.Key).ToList();
        foreach (var (operation, count) in await CountEachOnceAsync(db, several, cancellationToken))
            before[operation] = before[operation] with { Count = count };
        return before;
    }

    private static StandsBefore Before(IEnumerable<Place> own, ILookup<string, Place> heads) => new(
        own.Sum(place => place.CountBefore),
        [.. own.SelectMany(place => heads[place.Resource].Where(older => older.Sequence < place.Sequence && (place.Exclusive || older.Exclusive)))
            .DistinctBy(older => older.Sequence).OrderBy(older => older.Sequence).Take(Shown).Select(older => older.OperationId)],
        own.All(place => place.UnknownBefore == 0) ? own.Sum(place => place.SecondsBefore) : null);

    private static async Task<Dictionary<Guid, int>> CountEachOnceAsync(LedgerDb db, List<Guid> operations, CancellationToken cancellationToken) =>
        operations.Count == 0 ? [] : await (
            from mine in db.Claims
            join older in db.Claims on mine.Resource equals older.Resource
            where operations.Contains(mine.OperationId) && older.Sequence < mine.Sequence && (mine.Exclusive || older.Exclusive)
            select new { mine.OperationId, older.Sequence })
            .Distinct().GroupBy(pair => pair.OperationId).ToDictionaryAsync(pairs => pairs.Key, pairs => pairs.Count(), cancellationToken);

    /// <summary>
    /// The same on PostgreSQL and SQLite. A shared place waits for the exclusive ones before it, an exclusive one for all; so where the page
    /// has only shared places, the other shared ones of the line are left out.
    /// </summary>
    private static (string Sql, object[] Values) Statement(IReadOnlyCollection<Guid> operations, IReadOnlyDictionary<string, double> usual)
    {
        var values = new List<object>();
        string Value(object value)
        {
            values.Add(value);
            return string.Create(CultureInfo.InvariantCulture, $"{{{values.Count - 1}}}");
        }
        var asked = string.Join(", ", operations.Select(id => Value(id)));
        var seconds = usual.Count == 0 ? "NULL"
            : $"CASE kind {string.Concat(usual.Select(kind => $"WHEN {Value(kind.Key)} THEN {Value(kind.Value)} "))}END";
        var sql = $"""
            SELECT operation_id, resource, sequence, exclusive, asked, head,
                CAST(CASE WHEN exclusive THEN places - 1 ELSE exclusives END AS integer) AS count_before,
                CAST(CASE WHEN exclusive THEN seconds ELSE exclusive_seconds END AS double precision) AS seconds_before,
                CAST(CASE WHEN exclusive THEN unknown ELSE exclusive_unknown END AS integer) AS unknown_before
            FROM (
                SELECT operation_id, resource, sequence, exclusive,
                    operation_id IN ({asked}) AS asked,
                    COUNT(*) OVER line <= {Shown} OR (exclusive AND COUNT(CASE WHEN exclusive THEN 1 END) OVER line <= {Shown}) AS head,
                    COUNT(*) OVER line AS places,
                    COUNT(CASE WHEN exclusive THEN 1 END) OVER line AS exclusives,
                    COALESCE(SUM(usual) OVER earlier, 0) AS seconds,
                    COALESCE(SUM(CASE WHEN exclusive THEN usual END) OVER earlier, 0) AS exclusive_seconds,
                    COUNT(CASE WHEN usual IS NULL THEN 1 END) OVER earlier AS unknown,
                    COUNT(CASE WHEN usual IS NULL AND exclusive THEN 1 END) OVER earlier AS exclusive_unknown,
                    COUNT(*) OVER (PARTITION BY resource) AS length
                FROM (
                    SELECT operation_id, resource, sequence, exclusive, CAST({seconds} AS double precision) AS usual
                    FROM (
                        SELECT * FROM claims WHERE operation_id IN ({asked})
                        UNION SELECT * FROM claims WHERE resource IN (SELECT resource FROM claims WHERE operation_id IN ({asked}) AND exclusive)
                        UNION SELECT * FROM claims WHERE exclusive AND resource IN (SELECT resource FROM claims WHERE operation_id IN ({asked}))
                    ) AS concerned) AS claim
                WINDOW line AS (PARTITION BY resource ORDER BY sequence ROWS UNBOUNDED PRECEDING),
                    earlier AS (PARTITION BY resource ORDER BY sequence ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) AS place
            WHERE length > 1 AND (asked OR head)
            """;
        return (sql, [.. values]);
    }

    /// <summary>A place in the line of a resource.</summary>
    /// <param name="Asked">It is that of an operation on the page.</param>
    /// <param name="Head">It is among the first, or the first exclusive ones.</param>
    private sealed record Place(
        Guid OperationId, string Resource, long Sequence, bool Exclusive, bool Asked, bool Head,
        int CountBefore, double SecondsBefore, int UnknownBefore);
}
