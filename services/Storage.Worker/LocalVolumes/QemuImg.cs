using Storage.Contracts;

namespace Storage.Worker;

/// <param name="Path">Where it is.</param>
/// <param name="Version">As it prints it.</param>
/// <param name="Formats">Those of libvirt's file formats that it can create, and luks.</param>
public sealed record QemuImgInstallation(string Path, string Version, IReadOnlySet<string> Formats);

/// <summary>The host's qemu-img: found on PATH, and asked what it can create; asked again when the file has changed.</summary>
public sealed class QemuImg(IToolRunner tools) : IDisposable
{
    public const string Name = "qemu-img";

    /// <summary>
    /// It measures how fast it derives keys, and gives up where the kernel's account of its time stood still meanwhile, as under load
    /// (before QEMU 9.1).
    /// </summary>
    private const string NotMeasured = "Unable to get accurate CPU usage";

    /// <summary>What it says when a passphrase opens no key slot.</summary>
    private const string NotUnlocked = "Invalid password, cannot unlock any keyslot";

    /// <summary>The formats that it only converts from and to.</summary>
    private static readonly string[] Files = ["raw", "iso", "dir"];

    /// <summary>The formats that are made without it, but for rare options.</summary>
    private static readonly string[] MadeNatively = [.. Files, "qcow2"];

    private readonly SemaphoreSlim _gate = new(1, 1);
    private (string Path, DateTime Modified, QemuImgInstallation Installation)? _known;

    /// <returns>Null where the host has none.</returns>
    public async Task<QemuImgInstallation?> FindAsync(CancellationToken cancellationToken)
    {
        if (ToolPath.Find(Name) is not { } path)
            return null;
        await _gate.WaitAsync(cancellationToken);
        try
        {
            var modified = File.GetLastWriteTimeUtc(path);
            if (_known is not { } known || known.Path != path || known.Modified != modified)
                _known = known = (path, modified, await AskAsync(path, cancellationToken));
            return known.Installation;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>What can be made here of each of the pool type's formats.</summary>
    public async Task<IReadOnlyList<FormatSupport>> SupportAsync(IEnumerable<string> formats, CancellationToken cancellationToken)
    {
        var installation = await FindAsync(cancellationToken);
        return [.. formats.Select(format => !MadeNatively.Contains(format) && Reason(installation, format) is { } reason
            ? new FormatSupport(format, false, reason)
            : new FormatSupport(format, true))];
    }

    /// <summary>Whether volumes can be encrypted with LUKS of version 1 here.</summary>
    public async Task<FormatSupport> LuksAsync(CancellationToken cancellationToken)
    {
        var reason = Reason(await FindAsync(cancellationToken), EncryptionRules.Luks);
        return new FormatSupport(EncryptionRules.Luks, reason is null, reason);
    }

    /// <summary>Makes an image at a path. A failure may leave a part of it.</summary>
    /// <param name="secret">Its passphrase, where it is to be encrypted.</param>
    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.Unavailable"/>: this host cannot make the format. <see cref="ErrorCodes.NoSpace"/>. Else as
    /// <see cref="IToolRunner.RunAsync"/>.
    /// </exception>
    public async Task CreateAsync(string path, VolumeDefinition volume, ImageSecret? secret, CancellationToken cancellationToken) =>
        await RunAsync(QemuImgCommands.Create(await RequireAsync(volume, cancellationToken), path, volume, secret), [], cancellationToken);

    /// <summary>Whether it gave up measuring itself, which may succeed another time. It has removed the file that it was to make an image of.</summary>
    public static bool GaveUpMeasuring(StorageException failure) => failure.Error.Stderr?.Contains(NotMeasured, StringComparison.Ordinal) == true;

    /// <summary>Copies the content of a chain into an empty image, converted to its format. A failure may leave a part of it.</summary>
    /// <exception cref="StorageException">As <see cref="CreateAsync"/>, and <see cref="ErrorCodes.SecretWrong"/>.</exception>
    internal async Task ConvertAsync(
        IReadOnlyList<ImageSource> source, long capacity, ImageSource target, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        var printed = new QemuImgProgress(progress, capacity);
        var command = QemuImgCommands.Convert(await RequireAsync(cancellationToken), source, target);
        await RunAsync(command with { OnOutput = printed.Read }, source, cancellationToken);
    }

    /// <summary>Gives an image another capacity.</summary>
    /// <exception cref="StorageException">As <see cref="ConvertAsync"/>.</exception>
    internal async Task ResizeAsync(IReadOnlyList<ImageSource> image, VolumeResize resize, CancellationToken cancellationToken) =>
        await RunAsync(QemuImgCommands.Resize(await RequireAsync(cancellationToken), image, resize), image, cancellationToken);

    /// <summary>The path of qemu-img.</summary>
    public async Task<string> RequireAsync(CancellationToken cancellationToken) => (await FindAsync(cancellationToken))?.Path
        ?? throw new StorageException(new StorageError(ErrorCodes.Unavailable, "This host has no qemu-img.", Tool: Name));

    /// <summary>The path of a qemu-img that can make the volume; refuses, before anything is touched, what cannot be made.</summary>
    public async Task<string> RequireAsync(VolumeDefinition volume, CancellationToken cancellationToken)
    {
        var installation = await FindAsync(cancellationToken);
        if (Reason(installation, volume.Format!) is { } reason)
            throw new StorageException(ErrorCodes.Unavailable, $"A volume of format {volume.Format} cannot be made here: {reason}.", "format");
        if (volume.Encryption is not null && Reason(installation, EncryptionRules.Luks) is { } noLuks)
            throw new StorageException(ErrorCodes.Unavailable, $"An encrypted volume cannot be made here: {noLuks}.", "encryption");
        _ = QemuImgCommands.Create(installation!.Path, "/", volume, volume.Encryption is null ? null : ImageSecret.Of("/"));
        return installation.Path;
    }

    public void Dispose() => _gate.Dispose();

    /// <param name="opened">The chain that is opened with a secret, where there is one.</param>
    private async Task RunAsync(HostCommand command, IReadOnlyList<ImageSource> opened, CancellationToken cancellationToken)
    {
        try
        {
            await tools.RunAsync(command, cancellationToken);
        }
        catch (StorageException e) when (e.Error.Stderr?.Contains("No space left on device", StringComparison.Ordinal) == true)
        {
            throw new StorageException(e.Error with { Code = ErrorCodes.NoSpace }, e);
        }
        catch (StorageException e) when (e.Error.Stderr?.Contains(NotUnlocked, StringComparison.Ordinal) == true)
        {
            var others = opened.Skip(1).Any(image => image.Secret is not null) ? ", or not of every encrypted image behind it: one opens them all" : "";
            throw new StorageException(
                e.Error with { Code = ErrorCodes.SecretWrong, Message = $"The secret's value is not the passphrase of the volume{others}.", Field = "secret" }, e);
        }
    }

    private static string? Reason(QemuImgInstallation? installation, string format) =>
        installation is not null && (Files.Contains(format) || installation.Formats.Contains(format)) ? null
        : installation is null ? "qemu-img is not installed"
        : $"qemu-img {installation.Version} cannot create {format}";

    private async Task<QemuImgInstallation> AskAsync(string path, CancellationToken cancellationToken)
    {
        const string Before = "version ";
        var firstLine = (await tools.RunAsync(QemuImgCommands.Version(path), cancellationToken)).Stdout.Split('\n')[0].Trim();
        var version = firstLine[(firstLine.IndexOf(Before, StringComparison.Ordinal) is >= 0 and var at ? at + Before.Length : 0)..];
        var formats = new HashSet<string>();
        foreach (var format in PoolTypes.FileFormats.Except(Files).Append(EncryptionRules.Luks))
        {
            if ((await tools.RunAsync(QemuImgCommands.CreateOptions(path, format), cancellationToken)).ExitCode == 0)
                formats.Add(format);
        }
        return new QemuImgInstallation(path, version, formats);
    }
}
