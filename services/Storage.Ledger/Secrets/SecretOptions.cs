namespace Storage.Ledger;

/// <summary>The keys that encrypt secrets at rest. Section <c>Secrets</c>. Without any, there are no secrets and all else works.</summary>
public sealed class SecretOptions
{
    public const string Section = "Secrets";

    /// <summary>Keys of 32 bytes in base64, separated by blanks or commas: the first one encrypts, all of them decrypt.</summary>
    public string? Key { get; set; }

    /// <summary>A file that holds them, instead of <see cref="Key"/>.</summary>
    public string? KeyFile { get; set; }
}
