namespace Storage.Contracts;

internal static class VolumeSchema
{
    public static void Check(InputElement volume) => _ = volume;
}
