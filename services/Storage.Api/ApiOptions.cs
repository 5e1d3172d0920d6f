namespace Storage.Api;

/// <summary>Who may use the API. Section <c>Api</c>.</summary>
public sealed class ApiOptions
{
    public const string Section = "Api";

    /// <summary>The bearer token that every request under <c>/v1</c> must bring; absent, only loopback is served.</summary>
    public string? Token { get; set; }

    /// <summary>A file that holds the token, instead of <see cref="Token"/>.</summary>
    public string? TokenFile { get; set; }

    /// <summary>Serves every address without a token. For networks that are closed by other means.</summary>
    public bool AllowAnonymous { get; set; }
}
