namespace Storage.Worker;

/// <summary>Volumes of a pool that are removed by one run.</summary>
/// <param name="volumes">Their names, each once.</param>
/// <param name="force">Also those that are in use.</param>
/// <param name="run">The run. Its progress is that of what is gone.</param>
/// <param name="gone">Takes what is gone.</param>
public sealed class VolumeDeletion(IReadOnlyList<string> volumes, bool force, Run run, Action<IReadOnlyCollection<string>> gone)
{
    public IReadOnlyList<string> Volumes { get; } = volumes;

    public bool Force { get; } = force;

    public Run Run { get; } = run;

    /// <summary>The volume that is being looked at or removed, which an error is about; null where it is about all of them.</summary>
    public string? At { get; set; }

    /// <summary>These are removed for good, also after a loss of power.</summary>
    public void AreGone(IReadOnlyCollection<string> removed) => gone(removed);
}
