using static Storage.Contracts.Datatypes;
using static Storage.Contracts.Part;

namespace Storage.Contracts;

/// <summary>libvirt's schema of the <c>&lt;adapter&gt;</c> of a scsi pool.</summary>
internal static class AdapterSchema
{
    private static readonly Shape Address = new(
        May("@domain", PciDomain), May("@bus", PciBus), May("@slot", PciSlot), May("@function", PciFunction), May("@multifunction", OnOff));

    private static readonly Shape ScsiHost = new(
        May("@type", Datatype.OneOf(AdapterXml.ScsiHost, AdapterXml.FcHost)),
        Must("@name", Text).Or("parentaddr"),
        Must("parentaddr", new Shape(May("@unique_id", Positive), Must("address", Address))).Or("@name"));

    private static readonly Shape FcHost = new(
        Must("@type", Datatype.OneOf(AdapterXml.FcHost)),
        May("@parent", Text),
        May("@managed", YesNo),
        May("@parent_wwnn", Wwn),
        May("@parent_wwpn", Wwn),
        May("@parent_fabric_wwn", Wwn),
        Must("@wwnn", Wwn),
        Must("@wwpn", Wwn));

    public static Shape Of(InputElement adapter) => Datatype.Trim(adapter.Attribute("type") ?? "") == AdapterXml.FcHost ? FcHost : ScsiHost;
}
