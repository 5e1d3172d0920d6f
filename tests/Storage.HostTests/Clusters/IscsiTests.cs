using Storage.Worker;
using Xunit;

namespace Storage.HostTests;

/// <summary>What libiscsi's tools and a real target offer: no kernel initiator is needed.</summary>
[Trait("needs", "clusters")]
public sealed class IscsiTests : IAsyncLifetime
{
    private const int Refused = 10;

    public async ValueTask InitializeAsync() => await Clusters.Iscsi;

    [Fact]
    public async Task A_portal_lists_its_targets() => Assert.Equal(
        [$"Target:{IscsiTarget.Closed} Portal:{IscsiTarget.Portal},1", $"Target:{IscsiTarget.Open} Portal:{IscsiTarget.Portal},1"],
        (await RealTools.PrintedAsync(new HostCommand("iscsi-ls", $"iscsi://{IscsiTarget.Portal}"))).Split('\n').Order(StringComparer.Ordinal));

    [Fact]
    public async Task A_lun_says_its_size_to_the_byte_and_what_it_is()
    {
        for (var lun = 1; lun <= IscsiTarget.Sizes.Count; lun++)
        {
            Assert.Equal($"{IscsiTarget.Sizes[lun - 1]}", await RealTools.PrintedAsync(Tool("iscsi-readcapacity16", "-s", IscsiTarget.Url(IscsiTarget.Open, lun))));
            Assert.Contains("DIRECT_ACCESS", await RealTools.PrintedAsync(Tool("iscsi-inq", IscsiTarget.Url(IscsiTarget.Open, lun))), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Lun_0_is_a_controller() => Assert.Contains(
        "STORAGE_ARRAY_CONTROLLER", await RealTools.PrintedAsync(Tool("iscsi-inq", IscsiTarget.Url(IscsiTarget.Open, 0))), StringComparison.Ordinal);

    [Fact]
    public async Task Chap_lets_in_who_has_the_password_and_nobody_else()
    {
        var lun = IscsiTarget.Url(IscsiTarget.Closed, 1);
        var size = $"{IscsiTarget.Sizes[0]}";
        Assert.Equal(size, await RealTools.PrintedAsync(Tool("iscsi-readcapacity16", "-s", lun) with { Variables = Chap(IscsiTarget.Password) }));
        foreach (var variables in new[] { [], Chap("another-secret") })
        {
            var refused = await RealTools.RunAsync(Tool("iscsi-readcapacity16", "-s", lun) with { Variables = variables, AcceptedExitCodes = [Refused] });
            Assert.Contains("Authentication failure", refused.Stdout + refused.Stderr, StringComparison.Ordinal);
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static HostCommand Tool(string name, params string[] arguments) => new(name, arguments);

    private static Dictionary<string, string> Chap(string password) => new()
    {
        ["LIBISCSI_CHAP_USERNAME"] = IscsiTarget.User,
        ["LIBISCSI_CHAP_PASSWORD"] = password,
    };
}
