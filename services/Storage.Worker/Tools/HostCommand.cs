using Storage.Contracts;

namespace Storage.Worker;

/// <summary>One call of a host tool. There is no shell: the arguments reach the program as they are.</summary>
/// <param name="Program">The tool's name, looked up on PATH, or its absolute path.</param>
/// <param name="Arguments">The arguments, without the program's name.</param>
public sealed record HostCommand(string Program, IReadOnlyList<string> Arguments)
{
    private const string Mask = "***";

    public HostCommand(string program, params string[] arguments)
        : this(program, (IReadOnlyList<string>)arguments)
    {
    }

    /// <summary>The program's name without its directory.</summary>
    public string Tool => Path.GetFileName(Program);

    /// <summary>What the tool reads on its standard input; null is an empty one.</summary>
    public string? Input { get; init; }

    /// <summary>A secret that the tool reads on its standard input instead. It is given to no file, argument or variable.</summary>
    public SecretValue? SecretInput { get; init; }

    /// <summary>Variables that the tool gets beside those that all have.</summary>
    public IReadOnlyDictionary<string, string> Variables { get; init; } = new Dictionary<string, string>();

    /// <summary>The tool is killed when it has run for so long.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// The tool is killed when it has done nothing for so long: printed nothing, read and written nothing, used no processor. Null for
    /// one that may sleep, as while it waits for a device or for the kernel to discard one.
    /// </summary>
    public TimeSpan? StallLimit { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Is given what the tool prints on its standard output, as it comes: to show progress.</summary>
    public Action<string>? OnOutput { get; init; }

    /// <summary>Exit codes that are an answer and not a failure.</summary>
    public IReadOnlyList<int> AcceptedExitCodes { get; init; } = [0];

    /// <summary>Texts that are masked wherever the call is shown: in logs, in errors and in what the tool printed.</summary>
    public IReadOnlyList<string> Secrets { get; init; } = [];

    /// <summary>The program and its arguments for people, with the secrets masked.</summary>
    public override string ToString() => Redact(string.Join(' ', Arguments.Prepend(Program)));

    public string Redact(string text)
    {
        foreach (var secret in Secrets)
        {
            if (secret.Length > 0)
                text = text.Replace(secret, Mask, StringComparison.Ordinal);
        }
        return text;
    }
}
