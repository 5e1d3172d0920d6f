using System.Reflection;
using Xunit;
using Xunit.v3;

namespace Storage.IntegrationTests;

/// <summary>Adds the end of the logs of all services that run to the output of a test that failed.</summary>
[AttributeUsage(AttributeTargets.Assembly)]
public sealed class ShowProcessLogsAttribute : BeforeAfterTestAttribute
{
    public override void After(MethodInfo methodUnderTest, IXunitTest test)
    {
        if (TestContext.Current.TestState?.Result != TestResult.Failed || TestContext.Current.TestOutputHelper is not { } output)
            return;
        foreach (var process in ServiceProcess.All)
            output.WriteLine($"--- {process.Name} ({(process.Running ? "running" : "down")}), end of {process.LogFile}\n{LogTail.Read(process.LogFile)}");
    }
}
