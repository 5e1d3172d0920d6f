using System.Text.RegularExpressions;

namespace Storage.Contracts;

/// <summary>The adapter of a scsi pool: a SCSI host by name or PCI address, or a Fibre Channel host by its WWNs.</summary>
internal static partial class AdapterRules
{
    private const string Field = "source.adapter";

    public static SourceAdapter Complete(SourceAdapter? input)
    {
        if (input is null)
            throw PlainText.Invalid("The pool needs a source adapter.", Field);
        return input.Type switch
        {
            AdapterKind.ScsiHost => ScsiHost(input),
            AdapterKind.FcHost => FcHost(input),
            _ => throw PlainText.Invalid("Unknown kind of adapter.", $"{Field}.type"),
        };
    }

    /// <summary>The number in <c>scsi_host5</c>, <c>fc_host5</c> and <c>host5</c>; null for another name.</summary>
    public static int? HostNumber(string? name) =>
        name is not null && HostName().Match(name) is { Success: true } match && int.TryParse(match.Groups[1].ValueSpan, out var number)
            ? number
            : null;

    private static SourceAdapter ScsiHost(SourceAdapter input)
    {
        var name = PlainText.Optional(input.Name, $"{Field}.name");
        if (name is null == input.ParentAddress is null)
            throw PlainText.Invalid("A scsi_host adapter has either a name or a parent address.", Field);
        CheckHost(name, $"{Field}.name");
        CheckAddress(input.ParentAddress, $"{Field}.parentAddress");
        return new SourceAdapter(AdapterKind.ScsiHost, name, input.ParentAddress);
    }

    private static SourceAdapter FcHost(SourceAdapter input)
    {
        var completed = new SourceAdapter(
            AdapterKind.FcHost,
            Parent: PlainText.Optional(input.Parent, $"{Field}.parent"),
            ParentWwnn: Wwn(input.ParentWwnn, $"{Field}.parentWwnn"),
            ParentWwpn: Wwn(input.ParentWwpn, $"{Field}.parentWwpn"),
            ParentFabricWwn: Wwn(input.ParentFabricWwn, $"{Field}.parentFabricWwn"),
            Managed: input.Managed,
            Wwnn: Wwn(input.Wwnn, $"{Field}.wwnn") ?? throw PlainText.Invalid("An fc_host adapter needs a wwnn.", $"{Field}.wwnn"),
            Wwpn: Wwn(input.Wwpn, $"{Field}.wwpn") ?? throw PlainText.Invalid("An fc_host adapter needs a wwpn.", $"{Field}.wwpn"));
        if (completed.ParentWwnn is null != completed.ParentWwpn is null)
            throw PlainText.Invalid("The parent's wwnn and wwpn are given together.", completed.ParentWwnn is null ? $"{Field}.parentWwnn" : $"{Field}.parentWwpn");
        CheckHost(completed.Parent, $"{Field}.parent");
        return completed;
    }

    private static void CheckHost(string? name, string field)
    {
        if (name is not null && HostNumber(name) is null)
            throw PlainText.Invalid($"'{name}' is not a SCSI host such as scsi_host0.", field);
    }

    private static void CheckAddress(ParentAddress? address, string field)
    {
        if (address is null)
            return;
        if (address.UniqueId is not >= 0)
            throw PlainText.Invalid("A parent address needs a unique id from 0.", $"{field}.uniqueId");
        CheckRange(address.Domain, 0xFFFF, $"{field}.domain");
        CheckRange(address.Bus, 0xFF, $"{field}.bus");
        CheckRange(address.Slot, 0x1F, $"{field}.slot");
        CheckRange(address.Function, 7, $"{field}.function");
    }

    private static void CheckRange(int value, int max, string field)
    {
        if (value < 0 || value > max)
            throw PlainText.Invalid($"{value} is not a PCI number from 0 to {max}.", field);
    }

    private static string? Wwn(string? wwn, string field)
    {
        var text = PlainText.Optional(wwn, field);
        return text is null || WorldWideName().IsMatch(text) ? text : throw PlainText.Invalid($"'{text}' is not a WWN of 16 hex digits.", field);
    }

    [GeneratedRegex(@"\A(?:scsi_|fc_)?host([0-9]{1,9})\z")]
    private static partial Regex HostName();

    [GeneratedRegex(@"\A(?:0x)?[0-9a-fA-F]{16}\z")]
    private static partial Regex WorldWideName();
}
