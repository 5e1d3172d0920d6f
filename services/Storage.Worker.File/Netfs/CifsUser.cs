using Storage.Contracts;

namespace Storage.Worker.File;

/// <summary>
/// Who mounts a share of a CIFS server: the source's user, or a guest where it names none (libvirt knows only guests). The password goes to
/// mount.cifs by its standard input: it looks into no other process, so that it could not open a file that is only in ours.
/// </summary>
public static class CifsUser
{
    /// <summary>As of mount.cifs, in bytes.</summary>
    private const int LongestPassword = 512;

    /// <summary>The mount options that say who it is: <c>guest</c>, or <c>username=user[,domain=domain]</c>.</summary>
    public static IEnumerable<string> Options(PoolSource source) => source.Auth?.Username.Split('\\', 2) switch
    {
        null => ["guest"],
        [var domain, var user] => [$"username={user}", $"domain={domain}"],
        [var user, ..] => [$"username={user}"],
        _ => [],
    };

    /// <summary>The password; null for a guest and for other kinds of servers.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.Unsupported"/>: mount.cifs cannot take it; what <see cref="Run.ResolveAsync"/> says.</exception>
    public static async Task<SecretValue?> PasswordAsync(PoolSource source, Run run, CancellationToken cancellationToken)
    {
        if (source.Auth is not { Type: AuthKind.Cifs } auth)
            return null;
        var password = await run.ResolveAsync(auth.Secret, cancellationToken);
        if (password.Bytes.Length <= LongestPassword && password.Bytes.Span.IndexOfAny((byte)'\n', (byte)0) < 0)
            return password;
        password.Dispose();
        throw new StorageException(
            ErrorCodes.Unsupported, $"mount.cifs takes a password of at most {LongestPassword} bytes, without a line break.", "source.auth.secret");
    }

    /// <summary>The call of mount, with the password where mount.cifs reads it.</summary>
    public static HostCommand With(HostCommand mount, SecretValue password) => mount with
    {
        SecretInput = password,
        Variables = new Dictionary<string, string> { ["PASSWD_FD"] = "0" },
    };
}
