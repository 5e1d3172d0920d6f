using System.Text.RegularExpressions;
using Xunit;

namespace Storage.Tests;

/// <summary>Rules that only the source text shows.</summary>
public sealed partial class SourceTests
{
    private const string Table = "contracts/Storage.Contracts/Pools/PoolTypes.cs";

    [Fact]
    public void The_worker_library_names_no_pool_type() =>
        Assert.Empty(Places("services/Storage.Worker", NamedType()));

    [Fact]
    public void The_control_plane_names_no_pool_type() => Assert.Empty(
        new[] { "Api", "Inventory", "Ledger", "Hosting", "Standalone" }.SelectMany(name => Places($"services/Storage.{name}", NamedType())));

    [Fact]
    public void Nothing_but_the_table_branches_on_the_pool_type() =>
        Assert.Empty(Places("contracts", Branch()).Concat(Places("services", Branch())));

    [Fact]
    public void No_two_log_messages_have_one_event_id() => Assert.Empty(
        from path in Repository.Sources("services")
        from match in LogEvent().Matches(Repository.Read(path))
        group path by match.Groups[1].Value into places
        where places.Count() > 1
        select $"{places.Key}: {string.Join(", ", places)}");

    [Theory]
    [InlineData("x switch { PoolType.Dir => 1, _ => 2 }", true)]
    [InlineData("case PoolType.Dir:", true)]
    [InlineData("case PoolType.Dir or PoolType.Fs:", true)]
    [InlineData("if (type == PoolType.Dir)", true)]
    [InlineData("if (type is PoolType.Dir or PoolType.Fs)", true)]
    [InlineData("{ Type: PoolType.Dir }", true)]
    [InlineData("switch (pool.Type)", false)]
    [InlineData("public PoolType Type => PoolType.Dir;", false)]
    [InlineData("Assert(PoolTypes.Of(type))", false)]
    public void A_branch_on_the_pool_type_is_recognised(string source, bool branches) => Assert.Equal(branches, Branch().IsMatch(source));

    private static IEnumerable<string> Places(string folder, Regex pattern) =>
        from path in Repository.Sources(folder)
        where path != Table
        from line in Repository.Read(path).Split('\n').Select((text, index) => (Text: text, Number: index + 1))
        where pattern.IsMatch(line.Text)
        select $"{path}:{line.Number}: {line.Text.Trim()}";

    [GeneratedRegex(@"\[LoggerMessage\((?:EventId = )?(\d+)")]
    private static partial Regex LogEvent();

    [GeneratedRegex(@"\bPoolType\.[A-Z]")]
    private static partial Regex NamedType();

    [GeneratedRegex(@"(\bcase|\bis|\bnot|\bor|[=!]=|[{,(]|\w:)\s*PoolType\.[A-Z]\w*|^\s*PoolType\.[A-Z]\w*\s*(=>|or\b)|PoolType\.[A-Z]\w*\s*[=!]=")]
    private static partial Regex Branch();
}
