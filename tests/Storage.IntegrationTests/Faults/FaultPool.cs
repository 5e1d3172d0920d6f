namespace Storage.IntegrationTests;

/// <summary>A pool of a fault run.</summary>
/// <param name="Rough">Its files are changed behind our back, and it is stopped, started and refreshed; in the others every change is our own.</param>
public sealed record FaultPool(string Name, string Path, bool Rough);
