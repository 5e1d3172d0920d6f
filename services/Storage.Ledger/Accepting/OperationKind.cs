using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>See <see cref="OperationRow.Kind"/>.</summary>
internal static class OperationKind
{
    public static string Of(string command, PoolType? type) => type is { } known ? $"{command}/{PoolTypes.Of(known).Name}" : command;
}
