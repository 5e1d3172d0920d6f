namespace Storage.Contracts.Images;

/// <summary>The fields that all versions of qcow have.</summary>
internal static class QcowFields
{
    private const int BackingOffset = 8;
    private const int BackingLengthOffset = 16;
    private const int CapacityOffset = 24;
    private const int MaxBackingLength = 1023;

    public static long? Capacity(HeaderBytes bytes, HeaderProblems problems) => problems.Capacity(bytes.Size(CapacityOffset));

    /// <summary>Where the backing file's name is; null where the image has none.</summary>
    public static ulong? BackingNameOffset(HeaderBytes bytes) => bytes.U64(BackingOffset) is { } offset and > 0 ? offset : null;

    public static string? BackingFile(HeaderBytes bytes, HeaderProblems problems)
    {
        if (BackingNameOffset(bytes) is not { } offset || bytes.U32(BackingLengthOffset) is not ({ } length and > 0))
            return null;
        if (length <= MaxBackingLength)
            return HeaderName.Read(bytes, offset, length, HeaderName.Backing, problems);
        problems.Add($"{HeaderName.Backing} is over {MaxBackingLength} bytes.");
        return null;
    }

    /// <param name="methods">Encryption methods, from number 1 on; 0 is none.</param>
    public static string? Encryption(HeaderBytes bytes, int offset, ReadOnlySpan<string> methods, HeaderProblems problems)
    {
        if (bytes.U32(offset) is not ({ } method and > 0))
            return null;
        if (method <= methods.Length)
            return methods[(int)method - 1];
        problems.Add("The image is encrypted in a way that is not known.");
        return null;
    }
}
