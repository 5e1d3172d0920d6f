using Storage.Contracts;

namespace Storage.Worker;

/// <summary>What a run changes, as far as its command says.</summary>
internal static class RunNames
{
    /// <returns>The names of the volumes; null where it is about the pool as a whole, or its arguments cannot be read.</returns>
    public static IReadOnlyList<string>? Of(OperationRun operation)
    {
        if (CommandTypes.Find(operation.Command) is not { Scope: CommandScope.Volume } type)
            return null;
        try
        {
            return System.Text.Json.JsonSerializer.Deserialize(operation.Arguments, type.Type, StorageJson.Options) switch
            {
                CreateVolume create => [create.Volume.Name],
                CreateVolumes create => [.. create.Volumes.Select(volume => volume.Name)],
                CloneVolume clone => [clone.Volume.Name],
                DeleteVolumes delete => [.. delete.Volumes],
                IVolumeCommand command => [command.Volume],
                _ => null,
            };
        }
        catch (Exception e) when (e is System.Text.Json.JsonException or NullReferenceException)
        {
            // Its handler refuses it.
            return null;
        }
    }
}
