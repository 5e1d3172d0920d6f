namespace Storage.TestServers;

public static class LogTail
{
    private const int Bytes = 16 * 1024;

    /// <summary>The last lines of a log that is being written.</summary>
    public static string Read(string file)
    {
        if (!File.Exists(file))
            return "(no log)";
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var cut = stream.Length > Bytes;
        if (cut)
            stream.Seek(-Bytes, SeekOrigin.End);
        using var reader = new StreamReader(stream);
        var text = reader.ReadToEnd().TrimEnd();
        return cut ? "… " + text[(text.IndexOf('\n', StringComparison.Ordinal) + 1)..] : text;
    }
}
