namespace Storage.Standalone;

/// <summary>One process per data folder: the kernel frees the lock also when the process is killed.</summary>
internal sealed class DataFolderLock : IDisposable
{
    private readonly FileStream file;

    private DataFolderLock(FileStream file) => this.file = file;

    /// <returns>Null when another process has the folder.</returns>
    public static DataFolderLock? TryTake(string folder)
    {
        try
        {
            return new DataFolderLock(new FileStream(Path.Combine(folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException)
        {
            return null;
        }
    }

    public void Dispose() => file.Dispose();
}
