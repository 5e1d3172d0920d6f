namespace Storage.IntegrationTests;

/// <summary>The services that were built together with these tests.</summary>
public static class BuiltServices
{
    private static readonly DirectoryInfo Output = new(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));

    /// <summary>The dll of a service, of the same configuration as the tests.</summary>
    public static string Find(string project)
    {
        // artifacts/bin/<project>/<configuration>/
        var file = Path.Combine(Output.Parent!.Parent!.FullName, project, Output.Name, project + ".dll");
        return File.Exists(file) ? file : throw new FileNotFoundException($"{project} is not built: dotnet build services/{project}", file);
    }
}
