namespace Storage.IntegrationTests;

/// <summary>
/// The trait of tests that show what a worker does on its host, or workers among themselves, whatever servers the broker and the database are,
/// and of those that have neither (Standalone). They are run once, on the servers of this machine, and not again through Testcontainers.
/// </summary>
internal static class Servers
{
    public const string Trait = "servers";

    public const string Any = "any";
}
