namespace Storage.Hosting;

/// <summary>What holds for the process of every service, before its builder is made.</summary>
public static class ProcessStart
{
    public static void Prepare()
    {
        CoreDumps.Forbid();
        ReadSettingsOnce();
    }

    /// <summary>
    /// Files of settings are read at the start alone. To watch them takes one of the instances of inotify that a user may have: on a host that
    /// has none left a service would not start.
    /// </summary>
    private static void ReadSettingsOnce() => Environment.SetEnvironmentVariable("DOTNET_hostBuilder__reloadConfigOnChange", "false");
}
