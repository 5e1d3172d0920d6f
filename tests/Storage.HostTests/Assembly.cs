using System.Runtime.Versioning;
using Storage.HostTests;
using Xunit;

[assembly: SupportedOSPlatform("linux")]
[assembly: AssemblyFixture(typeof(TestRun))]
