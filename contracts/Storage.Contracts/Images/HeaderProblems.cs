namespace Storage.Contracts.Images;

/// <summary>Collects what is wrong with a header.</summary>
internal sealed class HeaderProblems
{
    private List<string>? _problems;

    public string? Text => _problems is null ? null : string.Join(' ', _problems);

    public void Add(string problem) => (_problems ??= []).Add(problem);

    public T? Add<T>(string problem) where T : struct
    {
        Add(problem);
        return null;
    }
}
