using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.Tests.LocalVolumes;

/// <summary>qemu-img that cannot measure how fast it derives keys.</summary>
public sealed class MeasuredAgainTests : IToolRunner
{
    private int creates;
    private int failures;
    private string stderr = "qemu-img: /p/v: Unable to get accurate CPU usage";

    [Fact]
    public async Task A_measure_that_failed_under_load_is_taken_again()
    {
        failures = 3;
        await CreateAsync();
        Assert.Equal(4, creates);
    }

    [Fact]
    public async Task One_that_never_succeeds_is_an_error_in_the_end()
    {
        failures = int.MaxValue;
        Assert.Equal(ErrorCodes.ToolFailed, (await Assert.ThrowsAsync<StorageException>(CreateAsync)).Error.Code);
    }

    [Fact]
    public async Task Another_failure_is_none_of_it()
    {
        (failures, stderr) = (int.MaxValue, "qemu-img: no such cipher");
        await Assert.ThrowsAsync<StorageException>(CreateAsync);
        Assert.Equal(1, creates);
    }

    public Task<ToolOutput> RunAsync(HostCommand command, CancellationToken cancellationToken)
    {
        if (command.Arguments[0] == "create" && !command.Arguments.Contains("help") && ++creates <= failures)
            throw new StorageException(new StorageError(ErrorCodes.ToolFailed, "no", Stderr: stderr));
        return Task.FromResult(new ToolOutput(0, "qemu-img version 7.2", "", TimeSpan.Zero));
    }

    private async Task CreateAsync()
    {
        Assert.SkipWhen(ToolPath.Find(QemuImg.Name) is null, "qemu-img is not installed");
        using var tool = new QemuImg(this);
        var luks = new VolumeEncryption("luks", Secrets: [new SecretReference(Usage: "u", Type: "passphrase")]);
        await tool.CreateAsync(
            "/p/v", new VolumeDefinition { Name = "v", Format = "raw", Capacity = 1, Encryption = luks }, ImageSecret.Of("/secret"), TestContext.Current.CancellationToken);
    }
}
