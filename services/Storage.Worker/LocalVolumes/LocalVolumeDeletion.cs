using System.Diagnostics;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>Removes many entries of a directory, which is synced for many of them at once.</summary>
public static class LocalVolumeDeletion
{
    private const int MostPerSync = 500;
    private static readonly int OpenToLook = OpenFlags.ReadOnly | OpenFlags.NoFollow | OpenFlags.NonBlocking | OpenFlags.NoTerminal | OpenFlags.CloseOnExec;

    /// <summary>A file of many TiB takes its time: what is gone is told in between.</summary>
    private static readonly TimeSpan LongestPerSync = TimeSpan.FromSeconds(1);

    /// <summary>As <see cref="IVolumeDeleter.PlanDeletionAsync"/>.</summary>
    public static IReadOnlyList<string> Plan(string target, VolumeDeletion deletion, KnownHeaders headers, CancellationToken cancellationToken)
    {
        using var directory = LocalDirectory.Open(target);
        var found = new List<(string Name, string? Backing)>(deletion.Volumes.Count);
        foreach (var name in deletion.Volumes)
        {
            cancellationToken.ThrowIfCancellationRequested();
            deletion.At = name;
            LocalImage.CheckName(name);
            if (LibC.Status(directory.Handle, name, LibC.NoFollow, LibC.BasicStatusAndBirth, out var status) < 0)
            {
                if (HostErrors.Last != HostErrors.NotFound)
                    throw HostErrors.FromLast($"look at {directory.PathOf(name)}");
                continue;
            }
            if (status.Kind == FileKind.Directory)
                RequireRemovable(directory, name, deletion.Force);
            found.Add((name, status.Kind == FileKind.Regular ? BackingOf(directory, name, status, deletion, headers) : null));
        }
        return DeletionOrder.Of(found);
    }

    /// <summary>As <see cref="IVolumeDeleter.DeleteVolumesAsync"/>.</summary>
    public static async Task RunAsync(string target, IReadOnlyList<string> order, VolumeDeletion deletion, CancellationToken cancellationToken)
    {
        using var directory = LocalDirectory.Open(target);
        await deletion.Run.BeginAsync(cancellationToken);
        for (var done = 0; done < order.Count;)
            done += RemoveSome(directory, order, done, deletion, cancellationToken);
    }

    /// <returns>How many were removed, and are told to be gone.</returns>
    private static int RemoveSome(
        LocalDirectory directory, IReadOnlyList<string> order, int from, VolumeDeletion deletion, CancellationToken cancellationToken)
    {
        var removed = new List<string>(Math.Min(MostPerSync, order.Count - from));
        var began = Stopwatch.GetTimestamp();
        try
        {
            while (from + removed.Count < order.Count && removed.Count < MostPerSync && Stopwatch.GetElapsedTime(began) < LongestPerSync)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var name = order[from + removed.Count];
                deletion.At = name;
                LocalVolumeFiles.Remove(directory, name, deletion.Run);
                removed.Add(name);
            }
        }
        catch when (removed.Count > 0)
        {
            AreGone(directory, removed, deletion);
            throw;
        }
        deletion.At = null;
        AreGone(directory, removed, deletion);
        return removed.Count;
    }

    private static void AreGone(LocalDirectory directory, List<string> removed, VolumeDeletion deletion)
    {
        directory.Sync();
        deletion.AreGone(removed);
    }

    /// <returns>What the header names; it is not opened.</returns>
    private static string? BackingOf(LocalDirectory directory, string name, in FileStatus status, VolumeDeletion deletion, KnownHeaders headers)
    {
        // One without blocks has no header.
        var known = status.Blocks == 0 || deletion.Volumes.Count == 1 ? null : headers.Find(status)?.Header;
        var reads = known is null && status.Blocks > 0 && deletion.Volumes.Count > 1;
        if (deletion.Force && !reads)
            return known?.BackingFile;
        using var file = LibC.OpenAt(directory.Handle, name, OpenToLook, 0);
        if (file.IsInvalid)
            return known?.BackingFile;
        if (!deletion.Force)
            VolumeUse.RequireUnused(file, directory.PathOf(name));
        return reads ? LocalVolumeReader.ReadHeader(file, (long)status.Size)?.BackingFile : known?.BackingFile;
    }

    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.InvalidState"/>: it is not empty; <see cref="ErrorCodes.InUse"/>: it is a ploop volume that is used.
    /// </exception>
    private static void RequireRemovable(LocalDirectory directory, string name, bool force)
    {
        if (!Ploop.Is(directory, name))
            directory.RequireEmpty(name);
        else if (!force)
            Ploop.RequireUnused(directory, name);
    }
}
