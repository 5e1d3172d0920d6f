namespace Storage.Contracts;

internal static class PoolSchema
{
    public static void Check(InputElement pool) => _ = pool;

    public static void CheckSource(InputElement source, PoolTypeInfo type) => _ = (source, type);
}
