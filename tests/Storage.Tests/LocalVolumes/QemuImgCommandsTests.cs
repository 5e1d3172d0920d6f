using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.Tests.LocalVolumes;

public sealed class QemuImgCommandsTests
{
    public static TheoryData<string, VolumeDefinition, string> Creates() => new()
    {
        { "plain", Volume("qcow2", 1 << 20), "create -f qcow2 -o compat=1.1 /p/v 1024K" },
        { "size rounded up", Volume("vmdk", 1025), "create -f vmdk /p/v 2K" },
        {
            "backing store", Volume("qcow2", 1 << 20) with { BackingStore = new BackingStore("/p/a,b", "raw") },
            "create -f qcow2 -b /p/a,b -u -o backing_fmt=raw,compat=1.1 /p/v 1024K"
        },
        { "nothing asked", Volume("qcow2", 0), "create -f qcow2 -o compat=1.1 /p/v 0K" },
        {
            "old, with clusters", Volume("qcow2", 1 << 20) with { Compat = "0.10", ClusterSize = 131072, NoCow = true },
            "create -f qcow2 -o nocow=on,compat=0.10,cluster_size=131072 /p/v 1024K"
        },
        {
            "preallocated", Volume("qcow2", 1 << 20) with { Preallocation = Preallocation.Metadata, NoCow = true },
            "create -f qcow2 -o preallocation=metadata,nocow=on,compat=1.1 /p/v 1024K"
        },
        { "not preallocated", Volume("qcow2", 1 << 20) with { Preallocation = Preallocation.None }, "create -f qcow2 -o compat=1.1 /p/v 1024K" },
        {
            "features", Volume("qcow2", 1 << 20) with { Features = ["lazy_refcounts", "extended_l2"] },
            "create -f qcow2 -o compat=1.1,lazy_refcounts,extended_l2=on /p/v 1024K"
        },
    };

    [Theory]
    [MemberData(nameof(Creates))]
    public void An_image_is_created_with_exactly_these_arguments(string what, VolumeDefinition volume, string arguments) =>
        Assert.Equal((what, arguments), (what, string.Join(' ', QemuImgCommands.Create("qemu-img", "/p/v", volume).Arguments)));

    public static TheoryData<VolumeDefinition, string> Refusals() => new()
    {
        { Volume("vmdk", 1) with { Compat = "1.1" }, "compat" },
        { Volume("vmdk", 1) with { Features = [] }, "features" },
        { Volume("vdi", 1) with { ClusterSize = 65536 }, "clusterSize" },
        { Volume("qcow2", 1) with { Compat = "2.0" }, "compat" },
        { Volume("qcow2", 1) with { Compat = "0.10", Features = ["lazy_refcounts"] }, "features" },
        { Volume("qcow2", 1) with { Capacity = null }, "capacity" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public void What_a_format_does_not_have_is_refused_with_the_field(VolumeDefinition volume, string field) =>
        Assert.Equal(field, Assert.Throws<StorageException>(() => QemuImgCommands.Create("qemu-img", "/p/v", volume)).Error.Field);

    [Theory]
    [InlineData("raw", "convert -p -n --target-is-zero -f raw -O qcow2 /p/a /p/v")]
    [InlineData("iso", "convert -p -n --target-is-zero -f raw -O qcow2 /p/a /p/v")]
    [InlineData("vdi", "convert -p -n --target-is-zero -f vdi -O qcow2 /p/a /p/v")]
    [InlineData(
        "vmdk",
        """convert -p -n --target-is-zero -f vmdk -O qcow2 json:{"driver":"vmdk","file":{"driver":"file","filename":"/p/a"},"backing":null} /p/v""")]
    public void An_image_is_converted_with_exactly_these_arguments(string format, string arguments) =>
        Assert.Equal(arguments, Text(QemuImgCommands.Convert("qemu-img", [new ImageSource(format, "/p/a")], new ImageSource("qcow2", "/p/v"))));

    [Fact]
    public void A_chain_is_named_to_its_end_so_that_no_header_is_followed() => Assert.Equal(
        """convert -p -n --target-is-zero -f qcow2 -O raw json:{"driver":"qcow2","file":{"driver":"file","filename":"/p/a\"b:<é>"},"""
            + """ "backing":{"driver":"qed","file":{"driver":"file","filename":"/p/b"},"backing":{"driver":"raw","file":{"driver":"file","filename":"/p/c"}}}} /p/v"""[1..],
        Text(QemuImgCommands.Convert(
            "qemu-img", [new ImageSource("qcow2", "/p/a\"b:<é>"), new ImageSource("qed", "/p/b"), new ImageSource("raw", "/p/c")], new ImageSource("iso", "/p/v"))));

    [Theory]
    [InlineData(1 << 20, 2 << 20, false, "resize -f qed X 2097152")]
    [InlineData(1 << 20, (1 << 20) + 1, true, "resize -f qed --preallocation=falloc X 1049088")]
    [InlineData(2 << 20, 1 << 20, true, "resize -f qed --shrink X 1048576")]
    public void An_image_is_resized_with_exactly_these_arguments(long from, long to, bool allocate, string arguments) => Assert.Equal(
        arguments.Replace("X", """json:{"driver":"qed","file":{"driver":"file","filename":"/p/v"},"backing":null}""", StringComparison.Ordinal),
        Text(QemuImgCommands.Resize("qemu-img", [new ImageSource("qed", "/p/v")], new VolumeResize(from, to, allocate))));

    [Fact]
    public void A_long_conversion_has_no_deadline_but_a_stall_limit()
    {
        var command = QemuImgCommands.Convert("qemu-img", [new ImageSource("raw", "/p/a")], new ImageSource("qcow2", "/p/v"));
        Assert.Equal(Timeout.InfiniteTimeSpan, command.Deadline);
        Assert.NotNull(command.StallLimit);
    }

    [Theory]
    [InlineData(Preallocation.Full)]
    [InlineData(Preallocation.Falloc)]
    public void A_long_preallocation_has_no_deadline_but_a_stall_limit(Preallocation preallocation)
    {
        var command = QemuImgCommands.Create("qemu-img", "/p/v", Volume("qcow2", 1L << 40) with { Preallocation = preallocation });
        Assert.Equal(Timeout.InfiniteTimeSpan, command.Deadline);
        Assert.NotNull(command.StallLimit);
    }

    [Fact]
    public void What_ends_with_a_flush_of_all_that_it_wrote_may_be_silent_for_longer()
    {
        HostCommand Create(Preallocation preallocation) =>
            QemuImgCommands.Create("qemu-img", "/p/v", Volume("qcow2", 1L << 40) with { Preallocation = preallocation });
        var usual = new HostCommand("qemu-img").StallLimit;
        Assert.True(Create(Preallocation.Full).StallLimit > 5 * usual);
        Assert.True(QemuImgCommands.Convert("qemu-img", [new ImageSource("raw", "/p/a")], new ImageSource("qcow2", "/p/v")).StallLimit > 5 * usual);
        Assert.Equal(usual, Create(Preallocation.Falloc).StallLimit);
    }

    private static string Text(HostCommand command) => string.Join(' ', command.Arguments);

    private static VolumeDefinition Volume(string format, long capacity) => new() { Name = "v", Format = format, Capacity = capacity };
}
