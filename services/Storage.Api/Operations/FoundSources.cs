using System.Text.Json;
using Storage.Contracts;
using Storage.Ledger;

namespace Storage.Api;

/// <summary>What a search for pool sources found, as libvirt's document.</summary>
internal static class FoundSources
{
    /// <exception cref="StorageException"><see cref="ErrorCodes.NotAcceptable"/> for an operation that has no such document.</exception>
    public static string Write(OperationRow operation)
    {
        if (operation is not { Command: nameof(FindPoolSources), State: OperationState.Succeeded, Result: { } result })
            throw new StorageException(ErrorCodes.NotAcceptable, "Only what a search for sources found is XML.", "Accept");
        var sources = JsonSerializer.Deserialize<IReadOnlyList<PoolSource>>(result, StorageJson.Options)!;
        var search = JsonSerializer.Deserialize<FindPoolSources>(operation.Arguments, StorageJson.Options)!;
        return SourceListXml.Write(sources, PoolTypes.Of(search.Type));
    }
}
