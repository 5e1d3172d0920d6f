using System.Text;
using Storage.Ledger;

namespace Storage.Standalone;

/// <summary>
/// The settings that make one process of all services: in-memory bus, one SQLite file, one state folder, loopback. Each can be set
/// otherwise as in the separate services.
/// </summary>
internal static class StandaloneDefaults
{
    /// <summary>The folder is <c>Standalone:DataFolder</c>, else the user's data folder.</summary>
    public static string DataFolder(IConfiguration configuration)
    {
        var folder = configuration["Standalone:DataFolder"] is { Length: > 0 } chosen
            ? chosen
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.Create), "storage");
        return Directory.CreateDirectory(Path.GetFullPath(folder)).FullName;
    }

    public static void Apply(ConfigurationManager configuration, string folder)
    {
        var settings = new Dictionary<string, string?>
        {
            ["Urls"] = "http://127.0.0.1:8080",
            ["Bus:Uri"] = "memory",
            ["Ledger:Connection"] = $"Data Source={Path.Combine(folder, "ledger.db")}",
            ["Worker:StateFolder"] = Path.Combine(folder, "worker"),
            ["Inventory:PublishEvents"] = "false",
        };
        if (configuration["Secrets:Key"] is null && configuration["Secrets:KeyFile"] is null)
            settings["Secrets:KeyFile"] = KeyFile(folder);
        configuration.AddInMemoryCollection([.. settings.Where(setting => configuration[setting.Key] is null)]);
    }
    /// <summary>The key of the secrets in the database beside it: made at the first start, complete or not at all, for its owner alone.</summary>
    private static string KeyFile(string folder)
    {
        var path = Path.Combine(folder, "secrets.key");
        if (File.Exists(path))
            return path;
        var begun = path + ".new";
        File.Delete(begun);
        var owner = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            owner.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var file = new FileStream(begun, owner))
        {
            file.Write(Encoding.ASCII.GetBytes(SecretRing.NewKey() + "\n"));
            file.Flush(flushToDisk: true);
        }
        File.Move(begun, path);
        return path;
    }
}
