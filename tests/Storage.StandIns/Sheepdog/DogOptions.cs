using System.Globalization;
using System.Net;

namespace Storage.StandIns;

/// <summary>Options stand before, between and after the words.</summary>
internal sealed record DogOptions
{
    /// <summary>The command and its operands.</summary>
    public string[] Words { get; private init; } = [];

    public string Address { get; private init; } = "127.0.0.1";

    public int Port { get; private init; } = 7000;

    public bool Raw { get; private init; }

    public bool Preallocate { get; private init; }

    public string? Snapshot { get; private init; }

    public static DogOptions Parse(string[] arguments)
    {
        var options = new DogOptions();
        for (var i = 0; i < arguments.Length; i++)
        {
            string Value() => ++i < arguments.Length ? arguments[i] : throw new DogException(DogExit.Usage, $"dog: option requires an argument -- '{arguments[i - 1].TrimStart('-')}'");
            options = arguments[i] switch
            {
                "-r" or "--raw" => options with { Raw = true },
                "-P" or "--prealloc" => options with { Preallocate = true },
                "-a" or "--address" => options with { Address = Value() },
                "-p" or "--port" => options with { Port = int.Parse(Value(), CultureInfo.InvariantCulture) },
                "-s" or "--snapshot" => options with { Snapshot = Value() },
                "-c" or "--copies" => Skip(Value(), options),
                ['-', _, ..] unknown => throw new DogException(
                    DogExit.Usage, unknown.StartsWith("--", StringComparison.Ordinal) ? $"dog: unrecognized option '{unknown}'" : $"dog: invalid option -- '{unknown[1]}'", "Try 'dog --help' for more information."),
                var word => options with { Words = [.. options.Words, word] },
            };
        }
        // Names of hosts are not looked up.
        return IPAddress.TryParse(options.Address, out _) ? options : throw new DogException(DogExit.Failure, $"Invalid ip address {options.Address}");
    }

    private static DogOptions Skip(string _, DogOptions options) => options;
}
