using System.Runtime.Versioning;
using Storage.IntegrationTests;
using Xunit;
using Xunit.Sdk;
using Xunit.v3;

[assembly: SupportedOSPlatform("linux")]

// One broker and one database serve all classes, and some classes take them down: one class at a time.
[assembly: AssemblyFixture(typeof(TestBackends))]
[assembly: Parallelization(Mode = ParallelMode.None)]
[assembly: ShowProcessLogs]
