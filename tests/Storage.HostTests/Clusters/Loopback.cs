namespace Storage.HostTests;

/// <summary>
/// An address of this machine that no other test run uses: all of 127.0.0.0/8 is loopback, so servers of two runs stand side by side on
/// their usual ports, and clients that cannot be told another port reach them.
/// </summary>
internal static class Loopback
{
    public static string Address { get; } = $"127.{Random.Shared.Next(16, 255)}.{Random.Shared.Next(256)}.{Random.Shared.Next(1, 255)}";
}
