using Microsoft.Win32.SafeHandles;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// Files that are made some at a time: all of them are on the disk before the first has its name. What the first brings there, a block of
/// the file system or its journal, is much of what the others need. The names are durable when the directory is synced.
/// </summary>
/// <param name="onMade">Is told of each as soon as it has its name.</param>
internal sealed class NewFiles(Action<VolumeDefinition> onMade) : IDisposable
{
    /// <summary>Few enough for their handles.</summary>
    private const int Together = 64;

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
        // All are on their way to the disk before one is waited for.
        foreach (var (_, file) in begun)
            FileFlush.Begin(file);
        foreach (var (volume, file) in begun)
            volume.Flush(file, cancellationToken);
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
