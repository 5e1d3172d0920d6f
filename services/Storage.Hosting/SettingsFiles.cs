namespace Storage.Hosting;

/// <summary>What is said of files of settings before a service's builder is made.</summary>
public static class SettingsFiles
{
    /// <summary>
    /// They are read at the start alone. To watch them takes one of the instances of inotify that a user may have: on a host that has none
    /// left a service would not start.
    /// </summary>
    public static void ReadOnce() => Environment.SetEnvironmentVariable("DOTNET_hostBuilder__reloadConfigOnChange", "false");
}
