namespace Storage.Worker;

/// <summary>A tool on record.</summary>
public sealed class ToolNote : IDisposable
{
    /// <summary>The tool gets its mark in this variable: what finds it where its process was not noted any more.</summary>
    public const string Variable = "STORAGE_TOOL";

    private readonly string folder;
    private string path;

    internal ToolNote(string folder)
    {
        this.folder = folder;
        path = Path.Combine(folder, StartedTools.NameOf(Mark));
        File.Create(path).Dispose();
    }

    public string Mark { get; } = Guid.NewGuid().ToString();

    /// <summary>The tool has been started.</summary>
    /// <param name="leader">Its process, which began its session.</param>
    public void Started(int leader)
    {
        if (StartedTools.NameOf(leader) is not { } name)
            return;
        var noted = Path.Combine(folder, name);
        File.Move(path, noted);
        path = noted;
    }

    public void Dispose() => File.Delete(path);
}
