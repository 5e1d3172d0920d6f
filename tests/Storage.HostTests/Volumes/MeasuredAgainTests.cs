using Microsoft.Extensions.Logging.Abstractions;
using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.HostTests;

/// <summary>
/// qemu-img under load, which cannot measure how fast it derives keys: it removes the file that it was to make an image of, and fails
/// (seen with 7.2; <c>block_crypto_co_create_opts_luks</c> deletes what it has not completed).
/// </summary>
public sealed class MeasuredAgainTests : IToolRunner, IDisposable
{
    private readonly CliWrapToolRunner runner = new(NullLogger<CliWrapToolRunner>.Instance);
    private readonly EncryptedPool pool;
    private int creates;
    private int failures;
    private bool replaces;
    private string stderr = "qemu-img: /p/v: Unable to get accurate CPU usage";

    public MeasuredAgainTests() => pool = new EncryptedPool(this);

    [Theory]
    [InlineData("raw")]
    [InlineData("qcow2")]
    public async Task A_volume_whose_measure_failed_is_made_again_as_its_definition_says(string format)
    {
        await pool.BuildAsync();
        failures = 3;
        await pool.CreateAsync(Encrypted(format) with { Permissions = new Permissions(Mode: 0x1A0) });
        // The real one may fail in the same way while other tests run.
        Assert.InRange(creates, failures + 1, int.MaxValue);
        Assert.Equal((UnixFileMode)0x1A0, File.GetUnixFileMode($"{pool.Path}/v"));
        Assert.Equal(["v"], pool.Host.Names);
    }

    [Theory]
    [InlineData("raw")]
    [InlineData("qcow2")]
    public async Task A_copy_whose_measure_failed_has_its_content(string format)
    {
        await pool.BuildAsync();
        SomeContent.Sparse($"{pool.Path}/in", 1 << 20);
        failures = 1;
        await pool.CloneAsync(Encrypted(format) with { Capacity = null }, pool.Host.Source("in"));
        await pool.CloneAsync(new VolumeDefinition { Name = "out", Format = "raw" }, pool.Source("v", "disk"));
        Assert.Equal(await pool.ReadAsync("in"), await pool.ReadAsync("out"));
        Assert.Equal(["in", "out", "v"], pool.Host.Names);
    }

    [Fact]
    public async Task A_measure_that_never_succeeds_is_an_error_in_the_end_and_leaves_nothing()
    {
        await pool.BuildAsync();
        failures = int.MaxValue;
        Assert.Equal(ErrorCodes.ToolFailed, (await EncryptedPool.RefusedAsync(() => pool.CreateAsync(Encrypted("raw")))).Code);
        Assert.Empty(pool.Host.Names);
    }

    [Fact]
    public async Task Another_failure_is_not_tried_again()
    {
        await pool.BuildAsync();
        (failures, stderr) = (int.MaxValue, "qemu-img: no such cipher");
        await EncryptedPool.RefusedAsync(() => pool.CreateAsync(Encrypted("raw")));
        Assert.Equal(1, creates);
    }

    [Fact]
    public async Task A_file_that_somebody_put_in_the_place_of_the_one_that_is_made_is_no_volume()
    {
        await pool.BuildAsync();
        replaces = true;
        Assert.Equal(ErrorCodes.HostFailure, (await EncryptedPool.RefusedAsync(() => pool.CreateAsync(Encrypted("raw")))).Code);
        Assert.Empty(pool.Host.Names);
    }

    public Task<ToolOutput> RunAsync(HostCommand command, CancellationToken cancellationToken)
    {
        var creates = command.Arguments[0] == "create" && !command.Arguments.Contains("help");
        if (creates && (replaces || this.creates < failures))
            File.Delete(command.Arguments.Single(argument => argument.StartsWith(pool.Path, StringComparison.Ordinal)));
        if (!creates || ++this.creates > failures)
            return runner.RunAsync(command, cancellationToken);
        throw new StorageException(new StorageError(ErrorCodes.ToolFailed, "no", Stderr: stderr));
    }

    public void Dispose() => pool.Dispose();

    private static VolumeDefinition Encrypted(string format) =>
        new() { Name = "v", Format = format, Capacity = 1 << 20, Encryption = EncryptedPool.Luks("disk") };
}
