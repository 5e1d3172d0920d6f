namespace Storage.Contracts;

/// <summary>
/// The stable error codes. Each row of <see cref="All"/> says how HTTP shows it and which number libvirt's clients know it by.
/// </summary>
public static class ErrorCodes
{
    public const string InvalidDocument = "invalid-document";
    public const string InvalidDefinition = "invalid-definition";
    public const string InvalidArgument = "invalid-argument";
    public const string UnknownField = "unknown-field";
    public const string SchemaViolation = "schema-violation";
    public const string Overflow = "overflow";
    public const string UnsupportedConfiguration = "unsupported-configuration";
    public const string Unsupported = "unsupported";
    public const string Unavailable = "unavailable-on-host";
    public const string UnknownHost = "unknown-host";
    public const string HostAmbiguous = "host-ambiguous";
    public const string PoolNotFound = "pool-not-found";
    public const string VolumeNotFound = "volume-not-found";
    public const string OperationNotFound = "operation-not-found";
    public const string PoolExists = "pool-exists";
    public const string VolumeExists = "volume-exists";
    public const string SourceConflict = "source-conflict";
    public const string InvalidState = "invalid-state";
    public const string InUse = "in-use";
    public const string VersionMismatch = "version-mismatch";
    public const string IdempotencyMismatch = "idempotency-mismatch";
    public const string PoolBuilt = "pool-already-built";
    public const string ProbeFailed = "probe-failed";
    public const string HostFailure = "host-failure";
    public const string ToolFailed = "tool-failed";
    public const string ToolMissing = "tool-missing";
    public const string Timeout = "timeout";
    public const string NoSpace = "no-space";
    public const string Cancelled = "cancelled";
    public const string Expired = "expired";
    public const string SecretNotFound = "secret-not-found";
    public const string SecretExists = "secret-exists";
    public const string SecretWithoutValue = "secret-without-value";
    public const string SecretRefused = "secret-refused";
    public const string SecretWrong = "secret-wrong";
    public const string SecretsUnavailable = "secrets-unavailable";
    public const string Unauthorized = "unauthorized";
    public const string NotFound = "not-found";
    public const string MethodNotAllowed = "method-not-allowed";
    public const string NotAcceptable = "not-acceptable";
    public const string UnsupportedMediaType = "unsupported-media-type";
    public const string TooLarge = "too-large";
    public const string ServiceUnavailable = "service-unavailable";
    public const string Internal = "internal";

    public static IReadOnlyDictionary<string, ErrorCode> All { get; } = new ErrorCode[]
    {
        new(InvalidDocument, 400, 35),
        new(InvalidDefinition, 422, 27),
        new(InvalidArgument, 422, 8),
        new(UnknownField, 422, 92),
        new(SchemaViolation, 422, 92),
        new(Overflow, 422, 82),
        new(UnsupportedConfiguration, 422, 67),
        new(Unsupported, 422, 3),
        new(Unavailable, 422, 3),
        new(UnknownHost, 422, 8),
        new(HostAmbiguous, 422, 8),
        new(PoolNotFound, 404, 49),
        new(VolumeNotFound, 404, 50),
        new(OperationNotFound, 404, 8),
        new(PoolExists, 409, 9),
        new(VolumeExists, 409, 90),
        new(SourceConflict, 409, 9),
        new(InvalidState, 409, 55),
        new(InUse, 409, 55),
        new(VersionMismatch, 412, 55),
        new(IdempotencyMismatch, 422, 8),
        new(PoolBuilt, 409, 76),
        new(ProbeFailed, 409, 75),
        new(HostFailure, 500, 38),
        new(ToolFailed, 500, 1),
        new(ToolMissing, 500, 1),
        new(Timeout, 504, 1),
        new(NoSpace, 507, 38),
        new(Cancelled, 409, 55),
        new(Expired, 409, 55),
        new(SecretNotFound, 404, 66),
        new(SecretExists, 409, 1),
        new(SecretWithoutValue, 409, 66),
        new(SecretRefused, 403, 29),
        new(SecretWrong, 409, 45),
        new(SecretsUnavailable, 503, 38),
        new(Unauthorized, 401, 29),
        new(NotFound, 404, 8),
        new(MethodNotAllowed, 405, 3),
        new(NotAcceptable, 406, 8),
        new(UnsupportedMediaType, 415, 8),
        new(TooLarge, 413, 8),
        new(ServiceUnavailable, 503, 38),
        new(Internal, 500, 1),
    }.ToDictionary(code => code.Name);
}

/// <param name="Name">The code.</param>
/// <param name="HttpStatus">The status with which HTTP shows it.</param>
/// <param name="LibvirtNumber">virErrorNumber of libvirt 11.3.</param>
public sealed record ErrorCode(string Name, int HttpStatus, int LibvirtNumber);
