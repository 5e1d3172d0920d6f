using Microsoft.Extensions.Logging.Abstractions;
using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.Tests.LocalVolumes;

/// <summary>
/// libvirt's cases of plain volumes, by the names of its files; those of encrypted ones are <see cref="EncryptedCommandsTests"/>. What differs:
/// <c>-u</c>, so that no backing store is opened; the size is always said; a copy is made with its options first and filled then; an image
/// that could name others is said as JSON, to its end; and what is not an image to qemu is made and copied without it.
/// </summary>
public sealed class LibvirtCommandsTests
{
    private const string Path = "/var/lib/libvirt/images/OtherDemo.img";
    private const string Source = "/var/lib/libvirt/images/sparse.img";
    private const long Capacity = 5242880L << 10;

    private static readonly VolumeDefinition Qcow2 = new() { Name = "OtherDemo.img", Format = "qcow2", Capacity = Capacity, Allocation = 294912, Compat = "0.10" };
    private static readonly VolumeDefinition Overlay = Qcow2 with { BackingStore = new BackingStore("/dev/null", "raw") };

    /// <summary>Every file of libvirt's, but for the one that none of its cases uses.</summary>
    private static readonly string[] Files =
    [
        "qcow2-lazy", "qcow2-1.1", "qcow2-zerocapacity", "qcow2-clusterSize", "luks", "luks-cipher", "qcow2-luks", "qcow2-compat", "qcow2-nocow-compat", "iso",
        "qcow2-nobacking-prealloc-compat", "qcow2-nobacking-convert-prealloc-compat", "qcow2-nocapacity-convert-prealloc", "qcow2-nocapacity",
        "qcow2-from-logical-compat", "logical-from-qcow2", "iso-input", "luks-convert", "luks-convert-qcow2", "luks-convert-encrypt",
        "luks-convert-encrypt2fileraw", "luks-convert-encrypt2fileqcow2", "qcow2-luks-convert-encrypt", "qcow2-luks-convert-encrypt2fileraw",
        "qcow2-luks-convert-encrypt2fileqcow2",
    ];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string, VolumeDefinition, string> Creates() => new()
    {
        {
            "qcow2-lazy", Overlay with { Compat = "1.1", Features = ["lazy_refcounts"] },
            $"create -f qcow2 -b /dev/null -u -o backing_fmt=raw,compat=1.1,lazy_refcounts {Path} 5242880K"
        },
        { "qcow2-1.1", Overlay with { Compat = "1.1", Features = [] }, $"create -f qcow2 -b /dev/null -u -o backing_fmt=raw,compat=1.1 {Path} 5242880K" },
        { "qcow2-compat", Overlay, $"create -f qcow2 -b /dev/null -u -o backing_fmt=raw,compat=0.10 {Path} 5242880K" },
        { "qcow2-nocow-compat", Overlay with { NoCow = true }, $"create -f qcow2 -b /dev/null -u -o backing_fmt=raw,nocow=on,compat=0.10 {Path} 5242880K" },
        // There it is left to qemu-img, which would open the backing store for it.
        { "qcow2-nocapacity", Overlay, $"create -f qcow2 -b /dev/null -u -o backing_fmt=raw,compat=0.10 {Path} 5242880K" },
        { "qcow2-zerocapacity", Qcow2 with { Capacity = 0 }, $"create -f qcow2 -o compat=0.10 {Path} 0K" },
        { "qcow2-clusterSize", Qcow2 with { ClusterSize = 131072 }, $"create -f qcow2 -o compat=0.10,cluster_size=131072 {Path} 5242880K" },
        {
            "qcow2-nobacking-prealloc-compat", Qcow2 with { Preallocation = Preallocation.Metadata },
            $"create -f qcow2 -o preallocation=metadata,compat=0.10 {Path} 5242880K"
        },
    };

    [Theory]
    [MemberData(nameof(Creates))]
    public void An_image_is_created_as_libvirt_creates_it(string file, VolumeDefinition volume, string arguments) =>
        Assert.Equal((file, arguments), (file, Create(volume)));

    public static TheoryData<string, Preallocation?, ImageSource, string, string> Copies() => new()
    {
        {
            "qcow2-nobacking-convert-prealloc-compat", Preallocation.Metadata, new("raw", Source), "-o preallocation=metadata,compat=0.10",
            $"-f raw -O qcow2 {Source} {Path}"
        },
        {
            "qcow2-nocapacity-convert-prealloc", Preallocation.Falloc, new("raw", Source), "-o preallocation=falloc,compat=0.10",
            $"-f raw -O qcow2 {Source} {Path}"
        },
        { "qcow2-from-logical-compat", null, new("raw", "/dev/HostVG/Swap"), "-o compat=0.10", $"-f raw -O qcow2 /dev/HostVG/Swap {Path}" },
    };

    [Theory]
    [MemberData(nameof(Copies))]
    public void A_copy_is_made_with_libvirts_options_and_then_filled(string file, Preallocation? preallocation, ImageSource source, string options, string convert)
    {
        Assert.Equal((file, $"create -f qcow2 {options} {Path} 5242880K"), (file, Create(Qcow2 with { Preallocation = preallocation })));
        Assert.Equal(
            $"convert -p -n --target-is-zero {convert}", Text(QemuImgCommands.Convert("qemu-img", [source], new ImageSource("qcow2", Path))));
    }

    [Theory]
    [InlineData("logical-from-qcow2")]
    public void An_image_is_copied_into_raw(string file) => Assert.Equal(
        (file, $$"""convert -p -n --target-is-zero -f qcow2 -O raw json:{"driver":"qcow2","file":{"driver":"file","filename":"{{Path}}"},"backing":null} /out"""),
        (file, Text(QemuImgCommands.Convert("qemu-img", [new ImageSource("qcow2", Path)], new ImageSource("raw", "/out")))));

    /// <summary>iso, iso-input.</summary>
    [Fact]
    public async Task What_is_no_image_to_qemu_is_made_and_copied_without_it()
    {
        var folder = Directory.CreateTempSubdirectory("iso-").FullName;
        try
        {
            using var qemuImg = new QemuImg(new NoTools());
            var tools = new VolumeTools(qemuImg, new Ploop(new NoTools()), new Cryptsetup(new NoTools()));
            await new LocalVolumeCreator(tools, NullLogger<LocalVolumeCreator>.Instance).CreateAsync(
                folder, new VolumeDefinition { Name = "test.iso", Format = "iso", Capacity = 1 << 20, Allocation = 0 }, NewRun(), Cancellation);
            await File.AppendAllTextAsync($"{folder}/test.iso", "content", Cancellation);
            await new LocalVolumeCloner(tools, NullLogger<LocalVolumeCloner>.Instance).CloneAsync(
                folder, new VolumeDefinition { Name = "sparse.img", Format = "raw" }, folder, "test.iso", null, reflink: false, NewRun(), Cancellation);
            Assert.Equal(await File.ReadAllBytesAsync($"{folder}/test.iso", Cancellation), await File.ReadAllBytesAsync($"{folder}/sparse.img", Cancellation));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Every_case_of_libvirt_is_here_or_among_the_encrypted_ones()
    {
        string[] here =
        [
            .. Creates().Select(row => row.Data.Item1), .. Copies().Select(row => row.Data.Item1), "logical-from-qcow2", "iso", "iso-input",
            .. EncryptedCommandsTests.Creates().SelectMany(row => row.Data.Item1.Split(", ")), .. EncryptedCommandsTests.Converts().Select(row => row.Data.Item1),
        ];
        Assert.Empty(Files.Except(here));
    }

    [Fact]
    public void What_libvirt_refuses_is_refused()
    {
        var old = Qcow2 with { Features = ["lazy_refcounts"] };
        var qcow = Qcow2 with { Encryption = new VolumeEncryption("qcow", Secrets: [new SecretReference(Usage: "u", Type: "passphrase")]) };
        foreach (var (volume, field) in new[] { (old, "features"), (qcow, "encryption.format") })
            Assert.Equal(field, Assert.Throws<StorageException>(() => VolumeRules.Complete(PoolTypes.Of(PoolType.Dir), volume)).Error.Field);
    }

    private static Run NewRun() => new(Guid.NewGuid(), false, _ => Task.CompletedTask, new Progress<OperationProgress>());

    private static string Create(VolumeDefinition volume) => Text(QemuImgCommands.Create("qemu-img", Path, volume));

    private static string Text(HostCommand command) => string.Join(' ', command.Arguments);

    private sealed class NoTools : IToolRunner
    {
        public Task<ToolOutput> RunAsync(HostCommand command, CancellationToken cancellationToken) =>
            throw new InvalidOperationException($"{command} is not needed.");
    }
}
