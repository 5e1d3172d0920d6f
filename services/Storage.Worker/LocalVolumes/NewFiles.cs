using Microsoft.Win32.SafeHandles;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// Files that are made some at a time: all of them are on the disk, brought there at the same time, before the first has its name. The names are
/// durable when the directory is synced.
/// </summary>
/// <param name="onMade">Is told of each as soon as it has its name.</param>
internal sealed class NewFiles(Action<VolumeDefinition> onMade) : IDisposable
{
    /// <summary>Few enough for their handles, and as many as are synced by one call.</summary>
    private const int Together = SyncQueue.Limit;

    private readonly List<(NewVolume Volume, SafeFileHandle File)> begun = [];
    private int published;

    /// <param name="fill">As of <see cref="NewVolume.Begin"/>.</param>
    public void Add(NewVolume volume, Action<SafeFileHandle, string> fill, CancellationToken cancellationToken)
    {
        begun.Add((volume, volume.Begin(fill)));
        if (begun.Count == Together)
            Make(cancellationToken);
    }

    /// <summary>Gives those that were added their names.</summary>
    public void Make(CancellationToken cancellationToken)
    {
        FileFlush.Complete([.. begun.Select(made => (made.File, made.Volume.Path))], cancellationToken);
        cancellationToken.ThrowIfCancellationRequested();
        foreach (var (volume, file) in begun)
        {
            onMade(volume.Publish(file));
            published++;
            file.Dispose();
        }
        begun.Clear();
        published = 0;
    }

    /// <summary>Removes those that were added and have no name yet.</summary>
    public void Dispose()
    {
        foreach (var (volume, file) in begun[published..])
        {
            file.Dispose();
            volume.Abandon();
        }
    }
}
