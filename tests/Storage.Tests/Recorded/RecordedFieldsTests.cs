using System.Text.Json;
using System.Xml.Linq;
using Xunit;

namespace Storage.Tests;

/// <summary>What tools print for programs is what readers of it rely on, in every version that was recorded.</summary>
public sealed class RecordedFieldsTests
{
    [Fact]
    public void Whatever_is_printed_as_a_document_is_one()
    {
        var (json, xml) = (Printed("json"), Printed("--xml"));
        Assert.All(json, said => JsonDocument.Parse(said.Output).Dispose());
        Assert.All(xml, said => XDocument.Parse(said.Output));
        Assert.NotEmpty(json);
        Assert.NotEmpty(xml);

        static Recording[] Printed(string form) =>
            [.. Recording.All().Where(said => said.ExitCode == 0 && said.Output.Length > 0 && said.Command.Contains(form, StringComparison.Ordinal))];
    }

    [Theory]
    [InlineData("findmnt", "ext4", "target source fstype")]
    [InlineData("lsblk", "partitions-gpt", "name size type parttype partuuid")]
    [InlineData("lsblk", "stacked", "name size type mountpoints")]
    [InlineData("lvs", "activity", "lv_name lv_active lv_device_open lv_path lv_attr")]
    [InlineData("lvs", "layouts", "lv_name lv_layout lv_role origin pool_lv data_percent lv_size")]
    [InlineData("lvs", "segments", "lv_name devices segtype stripes seg_size vg_extent_size")]
    [InlineData("lvs", "volumes", "lv_name origin lv_uuid devices segtype stripes seg_size vg_extent_size lv_size lv_attr")]
    [InlineData("multipathd", "maps", "name uuid sysfs path_groups")]
    [InlineData("pvs", "devices", "pv_name vg_name pv_size pv_free pe_start")]
    [InlineData("qemu-img", "info-plain-qcow2", "filename format virtual-size actual-size")]
    [InlineData("rbd", "info", "name size order features flags")]
    [InlineData("rbd", "list-long", "id image size format")]
    [InlineData("rbd", "snapshots", "name size protected")]
    [InlineData("sfdisk", "gpt", "node start size type")]
    [InlineData("sfdisk", "msdos", "node start size type")]
    [InlineData("vgs", "groups", "vg_name vg_uuid vg_size vg_free vg_extent_size")]
    [InlineData("wipefs", "gpt", "device offset type uuid label")]
    public void Each_thing_has_the_fields_that_are_read(string tool, string name, string fields) => Assert.All(Recording.Of(tool, name), said =>
    {
        var wanted = fields.Split(' ');
        using var document = JsonDocument.Parse(said.Output);
        var things = Objects(document.RootElement).Where(thing => thing.TryGetProperty(wanted[0], out _)).ToArray();
        Assert.NotEmpty(things);
        Assert.All(things, thing => Assert.Empty(wanted.Except(thing.EnumerateObject().Select(property => property.Name))));
    });

    [Theory]
    [InlineData("zfs", "volumes", 6)]
    [InlineData("zfs", "snapshots", 3)]
    [InlineData("zpool", "pools", 5)]
    public void Each_line_has_the_columns_that_were_asked_for(string tool, string name, int columns) => Assert.All(Recording.Of(tool, name), said =>
    {
        var lines = said.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.NotEmpty(lines);
        Assert.All(lines, line => Assert.Equal(columns, line.Split('\t').Length));
    });

    private static IEnumerable<JsonElement> Objects(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(property => Objects(property.Value)).Prepend(element),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(Objects),
        _ => [],
    };
}
