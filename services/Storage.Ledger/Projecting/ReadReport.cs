using System.Text.Json;
using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>
/// A report of which the volumes are read already. One transaction is written at a time: what can be done before it begins is done while
/// another one is being written.
/// </summary>
internal sealed class ReadReport
{
    private readonly Dictionary<Guid, ToldRange> ranges = [];
    private readonly Dictionary<Guid, ToldVolume> volumes = [];

    public ReadReport(HostReport report)
    {
        Report = report;
        foreach (var entry in report.Events)
        {
            try
            {
                if (entry.Type == nameof(VolumesObserved))
                    ranges[entry.EventId] = ToldRange.Of(entry.Read<VolumesObserved>());
                else if (ToldVolume.Of(entry) is { } volume)
                    volumes[entry.EventId] = volume;
            }
            catch (JsonException)
            {
                // Its own turn says so.
            }
        }
    }

    public HostReport Report { get; }

    public ToldRange RangeOf(StorageEvent entry) => ranges.GetValueOrDefault(entry.EventId) ?? ToldRange.Of(entry.Read<VolumesObserved>());

    /// <inheritdoc cref="ToldVolume.Of"/>
    public ToldVolume? VolumeOf(StorageEvent entry) => volumes.GetValueOrDefault(entry.EventId) ?? ToldVolume.Of(entry);
}
