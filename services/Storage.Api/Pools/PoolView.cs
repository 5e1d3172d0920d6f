using System.Text.Json;
using Storage.Contracts;
using Storage.Ledger;

namespace Storage.Api;

/// <summary>A pool: what is asked for, and what was last seen. Sizes in bytes.</summary>
/// <param name="Host">The host that has it; absent for a cluster-scoped pool.</param>
/// <param name="State">As last seen.</param>
/// <param name="Autostart">Started whenever its worker comes up.</param>
/// <param name="Persistent">Kept when it stops.</param>
/// <param name="Version">Of the definition; the ETag.</param>
/// <param name="ObservedAt">When it was last seen.</param>
/// <param name="Problem">Why the state is not the one asked for.</param>
/// <param name="Permissions">As seen on the target.</param>
/// <param name="Definition">What it is, and an active pool runs with.</param>
/// <param name="NextDefinition">The definition for the next start, where an active pool was defined again.</param>
public sealed record PoolView(
    Guid Id,
    string Name,
    PoolType Type,
    string? Host,
    PoolState State,
    bool Autostart,
    bool Persistent,
    int Version,
    long Capacity,
    long Allocation,
    long Available,
    DateTimeOffset? ObservedAt,
    string? Problem,
    Permissions? Permissions,
    PoolDefinition Definition,
    PoolDefinition? NextDefinition)
{
    public static PoolView Of(PoolRow row) => new(
        row.Id,
        row.Name,
        row.Type,
        row.Host.Length == 0 ? null : row.Host,
        row.State,
        row.Autostart,
        row.Persistent,
        row.Version,
        row.Capacity,
        row.Allocation,
        row.Available,
        row.ObservedAt,
        row.Problem,
        Read<Permissions>(row.Permissions),
        WithFree(Read<PoolDefinition>(row.Definition)!, Read<IReadOnlyList<FreeExtent>>(row.FreeExtents)),
        Read<PoolDefinition>(row.NextDefinition));

    /// <summary>What is free of a device stands with the device, as in libvirt's document.</summary>
    private static PoolDefinition WithFree(PoolDefinition definition, IReadOnlyList<FreeExtent>? free) => free is null || definition.Source.Devices.Count != 1
        ? definition
        : definition with { Source = definition.Source with { Devices = [definition.Source.Devices[0] with { FreeExtents = free }] } };

    private static T? Read<T>(string? json)
        where T : class => json is null ? null : JsonSerializer.Deserialize<T>(json, StorageJson.Options);
}
