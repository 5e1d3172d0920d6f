using System.Globalization;

namespace Storage.IntegrationTests;

/// <summary>Wall clocks of services that can be set while they run (libfaketime); what measures intervals is left alone, as by a real jump.</summary>
public sealed class ServiceClocks
{
    private readonly string folder;

    private ServiceClocks(string library, string folder)
    {
        this.folder = folder;
        Environment = service => new Dictionary<string, string>
        {
            ["LD_PRELOAD"] = library,
            ["FAKETIME_TIMESTAMP_FILE"] = FileOf(service),
            // Read at every look at the clock, the file would be most of what the service does.
            ["FAKETIME_CACHE_DURATION"] = "1",
            ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1",
            // For other C libraries than this one: here every wait with a limit would return at once, and the service would spin.
            ["FAKETIME_FORCE_MONOTONIC_FIX"] = "0",
            ["FAKETIME_DONT_RESET"] = "1",
        };
    }

    /// <summary>What a service must be started with.</summary>
    public Func<string, IReadOnlyDictionary<string, string>> Environment { get; }

    /// <summary>Null where the library is not installed (package libfaketime); with CI it has to be.</summary>
    public static ServiceClocks? TryCreate(string folder)
    {
        var library = new[] { "/usr/lib", "/usr/lib64" }.Where(Directory.Exists)
            .SelectMany(root => Directory.GetDirectories(root).Append(root))
            .Select(directory => Path.Combine(directory, "faketime", "libfaketimeMT.so.1")).FirstOrDefault(File.Exists);
        if (library is null && System.Environment.GetEnvironmentVariable("CI") == "true")
            throw new FileNotFoundException("The fault runs need libfaketime (package libfaketime).");
        return library is null ? null : new ServiceClocks(library, Directory.CreateDirectory(folder).FullName);
    }

    /// <summary>Sets the clock of a service so far before or after the true time.</summary>
    public void Set(string service, TimeSpan offset)
    {
        var file = FileOf(service);
        // Replaced as a whole: a service must not read half of it.
        File.WriteAllText(file + ".new", string.Create(CultureInfo.InvariantCulture, $"{offset.TotalSeconds:+0;-0;+0}\n"));
        File.Move(file + ".new", file, overwrite: true);
    }

    private string FileOf(string service)
    {
        var file = Path.Combine(folder, service);
        if (!File.Exists(file))
            File.WriteAllText(file, "+0\n");
        return file;
    }
}
