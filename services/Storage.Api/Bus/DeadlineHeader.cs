using System.Globalization;
using Storage.Contracts;

namespace Storage.Api;

/// <summary>The deadline of a command that comes by message, in the message's headers: a time in ISO 8601, UTC where it says no offset.</summary>
public static class DeadlineHeader
{
    public const string Name = "storage-deadline";

    /// <exception cref="StorageException"><see cref="ErrorCodes.InvalidArgument"/>: a deadline that is not understood must not be passed over.</exception>
    public static DateTimeOffset? Read(string? text) =>
        text is null ? null
        : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var deadline) ? deadline
        : throw new StorageException(ErrorCodes.InvalidArgument, $"'{text}' is not a time.", Name);
}
