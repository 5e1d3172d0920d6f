using Xunit;

namespace Storage.HostTests;

/// <summary>
/// What a run of the tests found out besides: figures and tables. They are in the output of the test, and in the file that
/// <see cref="Variable"/> names, which <c>infra/test</c> prints after the stage.
/// </summary>
internal static class RunNotes
{
    public const string Variable = "STORAGE_TEST_NOTES";

    private static readonly Lock Writing = new();

    public static void Add(string note)
    {
        TestContext.Current.TestOutputHelper?.WriteLine(note);
        if (Environment.GetEnvironmentVariable(Variable) is not { Length: > 0 } file)
            return;
        lock (Writing)
            File.AppendAllText(file, note + "\n");
    }
}
