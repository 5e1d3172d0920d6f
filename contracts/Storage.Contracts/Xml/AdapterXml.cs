using System.Globalization;

namespace Storage.Contracts;

/// <summary><c>&lt;adapter&gt;</c> of a scsi pool. Without a type it is the old form: the name of a SCSI host and nothing else.</summary>
internal static class AdapterXml
{
    public const string ScsiHost = "scsi_host";
    public const string FcHost = "fc_host";

    public static SourceAdapter? Read(InputElement? element)
    {
        if (element is null)
            return null;
        var adapter = new SourceAdapter(
            Kind(element),
            element.Attribute("name"),
            Address(element.Child("parentaddr")),
            element.Attribute("parent"),
            element.Attribute("parent_wwnn"),
            element.Attribute("parent_wwpn"),
            element.Attribute("parent_fabric_wwn"),
            element.YesNo("managed"),
            element.Attribute("wwnn"),
            element.Attribute("wwpn"));
        if (element.Attribute("type") is null && adapter != new SourceAdapter(AdapterKind.ScsiHost, adapter.Name ?? throw element.Wrong("<adapter> needs a type or a name.")))
            throw element.Wrong("An adapter without a type has a name and nothing else.");
        return adapter;
    }

    public static void Write(XmlOutput output, SourceAdapter? adapter)
    {
        if (adapter is null)
            return;
        if (adapter.Type == AdapterKind.FcHost)
            WriteFcHost(output, adapter);
        else if (adapter.ParentAddress is { } address)
            WriteAddress(output, address);
        else
            output.Empty("adapter", ("type", ScsiHost), ("name", adapter.Name));
    }

    private static void WriteFcHost(XmlOutput output, SourceAdapter adapter) => output.Empty(
        "adapter",
        ("type", FcHost),
        ("parent", adapter.Parent),
        ("parent_wwnn", adapter.ParentWwnn),
        ("parent_wwpn", adapter.ParentWwpn),
        ("parent_fabric_wwn", adapter.ParentFabricWwn),
        ("managed", adapter.Managed is { } managed ? (managed ? "yes" : "no") : null),
        ("wwnn", adapter.Wwnn),
        ("wwpn", adapter.Wwpn));

    private static void WriteAddress(XmlOutput output, ParentAddress address)
    {
        output.Open("adapter", ("type", ScsiHost));
        output.Open("parentaddr", ("unique_id", address.UniqueId?.ToString(CultureInfo.InvariantCulture)));
        output.Empty(
            "address",
            ("domain", $"0x{address.Domain:x4}"),
            ("bus", $"0x{address.Bus:x2}"),
            ("slot", $"0x{address.Slot:x2}"),
            ("function", $"0x{address.Function:x}"));
        output.Close();
        output.Close();
    }

    private static AdapterKind Kind(InputElement element) => element.Attribute("type") switch
    {
        null or ScsiHost => AdapterKind.ScsiHost,
        FcHost => AdapterKind.FcHost,
        _ => throw element.WrongAttribute("type", $"The type of an adapter is {ScsiHost} or {FcHost}."),
    };

    private static ParentAddress? Address(InputElement? element)
    {
        if (element is null)
            return null;
        var address = element.Child("address") ?? throw element.Wrong("<parentaddr> needs an <address>.");
        return new ParentAddress(
            Part(address, "domain"), Part(address, "bus"), Part(address, "slot"), Part(address, "function"), element.Number("unique_id"));
    }

    /// <summary>Absent is 0.</summary>
    private static int Part(InputElement address, string name)
    {
        if (address.Attribute(name) is not { } text)
            return 0;
        return StrtolNumber.ParseAnyRadix(text) is { } value and >= 0 and <= ushort.MaxValue
            ? (int)value
            : throw address.WrongAttribute(name, "This is not a number of a PCI address.");
    }
}
