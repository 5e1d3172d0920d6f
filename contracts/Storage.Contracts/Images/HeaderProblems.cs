namespace Storage.Contracts.Images;

/// <summary>Collects what is wrong with a header.</summary>
internal sealed class HeaderProblems
{
    public string? Text { get; private set; }

    public void Add(string problem) => Text = Text is null ? problem : $"{Text} {problem}";

    /// <summary>The capacity, with a problem where there is none.</summary>
    public long? Capacity(long? capacity)
    {
        if (capacity is null)
            Add("The header says no possible size.");
        return capacity;
    }

    /// <summary>A problem where fewer bytes are there than a header has.</summary>
    public void CheckLength(HeaderBytes bytes, int length)
    {
        if (bytes.Length < length)
            Add("The header is cut off.");
    }
}
