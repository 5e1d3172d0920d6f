#pragma warning disable IDE0060
namespace Storage.Contracts;
public static class PoolRules { public static PoolDefinition Complete(PoolDefinition d) => d; }
public static class VolumeRules { public static void CheckName(string? n, string f) { } public static VolumeDefinition Complete(PoolTypeInfo t, VolumeDefinition v) => v; }
public static class SourceConflict { public static string? FindField(PoolDefinition a, PoolDefinition b) => null; }
