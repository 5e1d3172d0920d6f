using Storage.Contracts;

namespace Storage.Api;

/// <summary>A pool type, and where it can be used.</summary>
/// <param name="RequiredSource">Parts of the source that a definition must have.</param>
/// <param name="TargetPath"><c>required</c>, <c>derived</c> from the source, or <c>none</c>.</param>
/// <param name="NameFromSource">The pool's name may come from the source name, and the source name from the pool's.</param>
/// <param name="Operations">What can be done beyond define, undefine, start, stop and refresh, which all types have.</param>
/// <param name="Supported">A host that is not lost has it.</param>
/// <param name="Hosts">What each host can do with it, and why not.</param>
public sealed record PoolTypeView(
    PoolType Type,
    PoolFamily Family,
    PoolScope Scope,
    IReadOnlyList<string> RequiredSource,
    string TargetPath,
    bool NameFromSource,
    IReadOnlyList<string> SourceFormats,
    string? DefaultSourceFormat,
    IReadOnlyList<string> VolumeFormats,
    string? DefaultVolumeFormat,
    IReadOnlyList<string> Operations,
    bool Supported,
    IReadOnlyList<HostSupport> Hosts)
{
    public static PoolTypeView Of(PoolTypeInfo info, IReadOnlyList<HostSupport> hosts) => new(
        info.Type,
        info.Family,
        info.Scope,
        Names(info.RequiredSource).Select(name => name.ToLowerInvariant()).ToList(),
        info.TargetPath.ToString().ToLowerInvariant(),
        info.NameFromSource,
        info.SourceFormats,
        info.DefaultSourceFormat,
        info.VolumeFormats,
        info.DefaultVolumeFormat,
        Names(info.Operations),
        hosts.Any(host => host.Available),
        hosts);

    private static List<string> Names<T>(T flags)
        where T : struct, Enum =>
        Enum.GetValues<T>().Where(flag => Convert.ToInt32(flag, null) != 0 && flags.HasFlag(flag)).Select(flag => flag.ToString()).ToList();
}
