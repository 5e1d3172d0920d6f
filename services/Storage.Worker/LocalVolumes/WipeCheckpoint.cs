using System.Text.Json;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>How far the wipe of a file or device has come: the passes before, and of this one the bytes before the offset, are on the disk.</summary>
/// <param name="Inode">Of the file.</param>
/// <param name="Born">When the file was made, in seconds and nanoseconds: an inode's number is given again. Nothing where it is not known.</param>
/// <param name="Length">Of the file, in bytes.</param>
/// <param name="Algorithm">Whose pass it is.</param>
/// <param name="Pass">The pass, from 0.</param>
/// <param name="Offset">In bytes.</param>
internal sealed record WipeCheckpoint(ulong Inode, string? Born, long Length, WipeAlgorithm Algorithm, int Pass, long Offset)
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(5);

    public static WipeCheckpoint Start(in FileStatus file, long length, WipeAlgorithm algorithm) => new(
        file.Inode, file.HasBirth ? $"{file.Birth.Seconds}.{file.Birth.Nanoseconds}" : null, length, algorithm, Pass: 0, Offset: 0);

    /// <summary>Journals how far the wipe has come, not too often.</summary>
    public static Func<int, long, Task> Journal(Run run, WipeCheckpoint start, TimeProvider time)
    {
        var last = time.GetTimestamp();
        return async (pass, offset) =>
        {
            if (time.GetElapsedTime(last) < Period)
                return;
            await run.CheckpointAsync(JsonSerializer.Serialize(start with { Pass = pass, Offset = offset }, StorageJson.Options));
            last = time.GetTimestamp();
        };
    }

    /// <returns>This one, where it is of the same file and algorithm; null where that has to be wiped from its start.</returns>
    public WipeCheckpoint? Continues(WipeCheckpoint start) => this with { Pass = 0, Offset = 0 } == start ? this : null;
}
