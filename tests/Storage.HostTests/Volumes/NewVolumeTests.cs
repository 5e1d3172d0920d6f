using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using Storage.Contracts;
using Xunit;

namespace Storage.HostTests;

/// <summary>What a new volume gets at once: its blocks, its owner, its label.</summary>
public sealed partial class NewVolumeTests : IDisposable
{
    private const long MiB = 1 << 20;

    private readonly DirPoolHost host = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Preallocation.None, 0)]
    [InlineData(Preallocation.Falloc, 8)]
    [InlineData(Preallocation.Full, 8)]
    public async Task A_raw_volume_has_the_blocks_that_were_asked_for_whatever_its_allocation_says(Preallocation preallocation, long expected)
    {
        await host.BuildAsync(Cancellation);
        var made = await host.CreateAsync(
            new VolumeDefinition { Name = "v", Capacity = 8 * MiB, Allocation = preallocation == Preallocation.None ? null : 0, Preallocation = preallocation }, Cancellation);
        Assert.Equal((8 * MiB, expected * MiB), (made.Capacity, made.Allocation));
    }

    [Theory]
    [InlineData(Preallocation.Falloc, false)]
    [InlineData(Preallocation.Falloc, true)]
    [InlineData(Preallocation.Full, false)]
    [InlineData(Preallocation.Full, true)]
    public async Task The_blocks_of_a_full_raw_volume_are_written_and_those_of_falloc_only_taken(Preallocation preallocation, bool copied)
    {
        Requires.Tool("filefrag");
        await host.BuildAsync(Cancellation);
        await using var disk = await ReflinkDisk.MountAsync("xfs", host.Path, Cancellation);
        var volume = new VolumeDefinition { Name = "v", Format = "raw", Capacity = 8 * MiB, Preallocation = preallocation };
        if (copied)
            await using (var holes = File.Create($"{host.Path}/source"))
                holes.SetLength(8 * MiB);
        _ = copied ? await host.CloneAsync(volume, host.Source("source"), Cancellation) : await host.CreateAsync(volume, Cancellation);
        // A line for each extent: number, logical range, physical range, length, flags; the extents are the whole of it.
        var extents = HostProgram.Run("filefrag", "-v", $"{host.Path}/v").Split('\n').Where(line => ExtentLine().IsMatch(line)).ToList();
        Assert.Equal(8 * MiB / 4096, extents.Sum(line => long.Parse(ExtentLine().Match(line).Groups["length"].Value, System.Globalization.CultureInfo.InvariantCulture)));
        Assert.All(extents, line => Assert.Equal(preallocation == Preallocation.Falloc, line.Contains("unwritten", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(Preallocation.None, 0, 1)]
    [InlineData(Preallocation.Metadata, 0, 2)]
    [InlineData(Preallocation.Falloc, 8, 9)]
    [InlineData(Preallocation.Full, 8, 9)]
    public async Task A_qcow2_volume_is_as_full_as_qemu_img_makes_it_and_sound(Preallocation preallocation, long least, long most)
    {
        Requires.Tool("qemu-img");
        await host.BuildAsync(Cancellation);
        var made = await host.CreateAsync(
            new VolumeDefinition { Name = "v", Format = "qcow2", Capacity = 8 * MiB, Preallocation = preallocation }, Cancellation);
        Assert.Equal(8 * MiB, made.Capacity);
        Assert.InRange(made.Allocation!.Value, least * MiB, most * MiB);
        HostProgram.Run("qemu-img", "check", "-q", "-f", "qcow2", $"{host.Path}/v");
        // All of its clusters are there, but for the one that has none.
        Assert.Equal(
            preallocation != Preallocation.None,
            HostProgram.Run("qemu-img", "map", "--output=json", "-f", "qcow2", $"{host.Path}/v").Contains("\"offset\"", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("raw", Preallocation.None, 4)]
    [InlineData("raw", Preallocation.Full, 8)]
    [InlineData("qcow2", Preallocation.Falloc, 8)]
    public async Task A_copy_is_as_full_as_was_asked_and_has_the_content(string format, Preallocation preallocation, long least)
    {
        Requires.Tool("qemu-img");
        await host.BuildAsync(Cancellation);
        SomeContent.Sparse($"{host.Path}/source", (int)(8 * MiB));
        SomeContent.Full($"{host.Path}/part", (int)(4 * MiB));
        await using (var source = File.OpenWrite($"{host.Path}/source"))
            await source.WriteAsync(await File.ReadAllBytesAsync($"{host.Path}/part", Cancellation), Cancellation);
        var made = await host.CloneAsync(
            new VolumeDefinition { Name = "v", Format = format, Preallocation = preallocation }, host.Source("source"), Cancellation);
        Assert.InRange(made.Allocation!.Value, least * MiB, (least + 2) * MiB);
        await host.AssertSameContentAsync("raw", $"{host.Path}/source", format, $"{host.Path}/v", Cancellation);
    }

    [Fact]
    public async Task A_volume_has_its_pools_owner_and_group_unless_it_says_its_own()
    {
        Requires.Root();
        await host.BuildAsync(Cancellation);
        var pool = host.Pool with { Target = host.Pool.Target with { Permissions = new Permissions(Mode: 0x1C0, Owner: 107, Group: 36) } };
        Assert.Equal(new Permissions(0x180, 107, 36), await MadeAsync("a", null));
        Assert.Equal(new Permissions(0x1A4, 107, 100), await MadeAsync("b", new Permissions(Mode: 0x1A4, Group: 100)));

        async Task<Permissions> MadeAsync(string name, Permissions? permissions) => (await host.Volumes.CreateVolumeAsync(
            pool, new VolumeDefinition { Name = name, Capacity = 1, Format = "raw", Permissions = permissions }, DirPoolHost.NewRun(), Cancellation)).Permissions!;
    }

    [Fact]
    public async Task A_label_is_on_the_file_as_SELinux_reads_it_and_is_seen_again()
    {
        Requires.Root();
        const string Label = "system_u:object_r:virt_image_t:s0";
        await host.BuildAsync(Cancellation);
        var made = await host.CreateAsync(
            new VolumeDefinition { Name = "v", Capacity = 1, Format = "raw", Permissions = new Permissions(Label: Label) }, Cancellation);
        Assert.Equal(Label, made.Permissions!.Label);
        var value = new byte[100];
        var length = (int)GetAttribute($"{host.Path}/v", "security.selinux", value, (nuint)value.Length);
        Assert.Equal(Label + '\0', Encoding.UTF8.GetString(value, 0, Math.Max(0, length)));
    }

    public void Dispose() => host.Dispose();

    [GeneratedRegex(@"^\s*\d+:\s+\d+\.\.\s*\d+:\s+\d+\.\.\s*\d+:\s+(?<length>\d+):")]
    private static partial Regex ExtentLine();

    [LibraryImport("libc", EntryPoint = "getxattr", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint GetAttribute(string path, string name, [Out] byte[] value, nuint size);
}
