using System.Globalization;

namespace Storage.StandIns;

/// <summary>A Fibre Channel host, as its attributes in sysfs say it.</summary>
/// <param name="Number">Its <c>hostN</c>.</param>
/// <param name="NodeName">WWNN, 16 hexadecimal digits.</param>
/// <param name="PortName">WWPN, likewise.</param>
public sealed record FcHost(int Number, string NodeName, string PortName)
{
    public string FabricName { get; init; } = "2001000dec9877c1";

    /// <summary><c>Online</c>, <c>Linkdown</c>, …</summary>
    public string PortState { get; init; } = "Online";

    /// <summary>How many virtual hosts it can have; 0 where it cannot have any, and has no files for that.</summary>
    public int MaxVports { get; init; } = 255;

    public string Name => string.Create(CultureInfo.InvariantCulture, $"host{Number}");

    /// <summary><c>NUMBER:WWNN:WWPN:MAX_VPORTS</c>, without the last where it has no virtual hosts.</summary>
    public static FcHost Parse(string text) => text.Split(':') is [var number, var node, var port, .. var rest]
        ? new FcHost(int.Parse(number, CultureInfo.InvariantCulture), node, port) { MaxVports = rest is [var most] ? int.Parse(most, CultureInfo.InvariantCulture) : 0 }
        : throw new FormatException(text);
}
