using System.Text.Json;
using Storage.Contracts.Images;

namespace Storage.HostTests;

/// <summary>What <c>qemu-img info</c> says of an image, in the terms of our header.</summary>
internal static class QemuInfo
{
    public static ImageHeader Header(JsonElement info)
    {
        var format = info.GetProperty("format").GetString()!;
        var data = info.TryGetProperty("format-specific", out var specific) ? specific.GetProperty("data") : default;
        var version3 = format == "qcow2" && Text(data, "compat") == "1.1";
        return new ImageHeader(format == "luks" ? "raw" : format, info.GetProperty("virtual-size").GetInt64())
        {
            ClusterSize = format == "qcow2" ? info.GetProperty("cluster-size").GetInt64() : null,
            Compat = version3 ? "1.1" : null,
            Features = version3 ? Features(data) : null,
            BackingFile = Text(info, "backing-filename"),
            // qemu-img knows that the parent of a vmdk is one; its header does not say so.
            BackingFormat = format == "vmdk" ? null : Text(info, "backing-filename-format"),
            DataFile = Text(data, "data-file"),
            Encryption = info.TryGetProperty("encrypted", out var encrypted) && encrypted.GetBoolean() ? Encryption(format, data) : null,
        };
    }

    private static string[] Features(JsonElement data) =>
    [
        .. Flag(data, "lazy-refcounts") ? ["lazy_refcounts"] : Array.Empty<string>(),
        .. Flag(data, "extended-l2") ? ["extended_l2"] : Array.Empty<string>(),
        .. Text(data, "data-file") is not null ? ["data_file"] : Array.Empty<string>(),
    ];

    private static string Encryption(string format, JsonElement data) =>
        format == "luks" || format == "qcow2" && Text(data.GetProperty("encrypt"), "format") == "luks" ? "luks" : "qcow";

    private static bool Flag(JsonElement data, string name) => data.TryGetProperty(name, out var value) && value.GetBoolean();

    private static string? Text(JsonElement data, string name) =>
        data.ValueKind == JsonValueKind.Object && data.TryGetProperty(name, out var value) ? value.GetString() : null;
}
