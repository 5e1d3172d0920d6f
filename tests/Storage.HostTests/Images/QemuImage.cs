using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Storage.Contracts;
using Storage.Contracts.Images;
using Storage.Worker;

namespace Storage.HostTests;

/// <summary>Images that qemu-img makes in a directory of the test, and what it and we read of them.</summary>
public sealed class QemuImage : IDisposable
{
    /// <summary>What names a secret in an image's options.</summary>
    public const string Secret = "secret";

    private const int Attempts = 8;

    private readonly CliWrapToolRunner tools = new(NullLogger<CliWrapToolRunner>.Instance);
    private readonly string passphrase;

    public QemuImage()
    {
        passphrase = PathOf("passphrase");
        File.WriteAllText(passphrase, "correct horse battery staple");
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("images-").FullName;

    public string PathOf(string name) => Path.Combine(Folder, name);

    /// <summary>Options with the data file in the folder: qemu-img makes it where it is told, the backing file is relative to the image.</summary>
    public string Within(string options) => options.Replace("data_file=", $"data_file={Folder}/", StringComparison.Ordinal);

    /// <param name="options">As of <c>-o</c>; empty for none.</param>
    /// <param name="size">Absent where a backing file has it.</param>
    public async Task CreateAsync(string name, string format, string options, string? size, CancellationToken cancellationToken)
    {
        List<string> arguments = ["create", "-q", "--object", $"secret,id={Secret},file={passphrase}", "-f", format];
        if (options.Length > 0)
            arguments.AddRange(["-o", options]);
        arguments.Add(PathOf(name));
        if (size is not null)
            arguments.Add(size);
        await RunAsync(new HostCommand(Requires.Tool("qemu-img"), arguments), cancellationToken);
    }

    /// <summary>Writes another backing file into the header, which need not be there.</summary>
    public Task RebaseAsync(string name, string backing, string format, CancellationToken cancellationToken) =>
        RunAsync(new HostCommand(Requires.Tool("qemu-img"), "rebase", "-u", "-b", backing, "-F", format, PathOf(name)), cancellationToken);

    /// <summary>Under load qemu-img may give up measuring itself (<see cref="QemuImg.GaveUpMeasuring"/>): then it is asked again.</summary>
    public async Task<ToolOutput> RunAsync(HostCommand command, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await tools.RunAsync(command, cancellationToken);
            }
            catch (StorageException e) when (attempt < Attempts && QemuImg.GaveUpMeasuring(e))
            {
                // It has removed what it had begun.
            }
        }
    }

    public async Task<JsonElement> InfoAsync(string name, CancellationToken cancellationToken)
    {
        var output = await RunAsync(new HostCommand(Requires.Tool("qemu-img"), "info", "--output=json", PathOf(name)), cancellationToken);
        return JsonDocument.Parse(output.Stdout).RootElement;
    }

    /// <summary>The header, from no more of the file than a probe has.</summary>
    public async Task<ImageHeader> ReadAsync(string name, CancellationToken cancellationToken)
    {
        await using var file = File.OpenRead(PathOf(name));
        var head = new byte[ImageHeader.ProbeLength];
        var length = await file.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancellationToken);
        return ImageHeader.Read(head.AsSpan(0, length), file.Length);
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
