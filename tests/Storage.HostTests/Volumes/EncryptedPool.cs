using System.Text;
using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.HostTests;

/// <summary>A directory pool whose volumes are encrypted by qemu-img, and the values of secrets by their usage.</summary>
public sealed class EncryptedPool(IToolRunner? tools = null) : IDisposable
{
    public DirPoolHost Host { get; } = new(tools);

    public string Path => Host.Path;

    /// <summary><c>disk</c> is the passphrase of <see cref="EncryptedImages"/>, <c>other</c> another one.</summary>
    public Dictionary<string, string> Values { get; } = new() { ["disk"] = EncryptedImages.Passphrase, ["other"] = "another one" };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static VolumeEncryption Luks(string usage) => new("luks", Secrets: [new SecretReference(Usage: usage, Type: "passphrase")]);

    public async Task BuildAsync()
    {
        Requires.Tool("qemu-img");
        await Host.BuildAsync(Cancellation);
    }

    /// <summary>A volume as the source of a copy, with the secret that opens it.</summary>
    public CloneSource Source(string volume, string usage) => Host.Source(volume) with { Secret = new SecretReference(Usage: usage) };

    public Run NewRun() => new(Guid.NewGuid(), false, _ => Task.CompletedTask, new Progress<OperationProgress>())
    {
        Secrets = (secret, _) => Task.FromResult(Values.TryGetValue(secret.Usage!, out var value)
            ? SecretValue.Of(Encoding.UTF8.GetBytes(value))
            : throw new StorageException(ErrorCodes.SecretNotFound, $"There is no secret for '{secret.Usage}'.")),
    };

    public Task<VolumeDefinition> CreateAsync(VolumeDefinition volume) =>
        Host.Volumes.CreateVolumeAsync(Host.Pool, VolumeRules.Complete(PoolTypes.Of(PoolType.Dir), volume), NewRun(), Cancellation);

    public Task<VolumeDefinition> CloneAsync(VolumeDefinition volume, CloneSource source, bool reflink = false) =>
        Host.CloneAsync(volume, source, Cancellation, reflink, NewRun());

    public Task<VolumeDefinition> ResizeAsync(string volume, VolumeResize resize) =>
        Host.Volumes.ResizeVolumeAsync(Host.Pool, volume, resize, NewRun(), Cancellation);

    public Task<byte[]> ReadAsync(string volume) => File.ReadAllBytesAsync($"{Path}/{volume}", Cancellation);

    public static async Task<StorageError> RefusedAsync(Func<Task> action) => (await Assert.ThrowsAsync<StorageException>(action)).Error;

    public void Dispose() => Host.Dispose();
}
