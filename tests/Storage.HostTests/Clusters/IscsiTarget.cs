using System.Globalization;
using Storage.Worker;

namespace Storage.HostTests;

/// <summary>
/// A real iSCSI target in user space (tgt). Target <see cref="Open"/> takes everybody and has three LUNs; <see cref="Closed"/> wants CHAP
/// and has one. LUN 0 of each is a controller, as tgt always has it.
/// </summary>
internal sealed class IscsiTarget : IAsyncDisposable
{
    public const string Open = "iqn.2026-01.test.storage:open";
    public const string Closed = "iqn.2026-01.test.storage:closed";
    public const string User = "storage";
    public const string Password = "chap-secret-12";

    internal static readonly string[] Programs = ["tgtd", "tgtadm", "iscsi-ls", "iscsi-inq", "iscsi-readcapacity16"];

    private readonly GuardedFolder folder;

    private IscsiTarget(GuardedFolder folder) => this.folder = folder;

    /// <summary><c>host:port</c>.</summary>
    public static string Portal => $"{Loopback.Address}:3260";

    /// <summary>The sizes of the LUNs of <see cref="Open"/> from 1 on, in bytes.</summary>
    public static IReadOnlyList<long> Sizes { get; } = [16 << 20, 32 << 20, 64 << 20];

    public string Folder => folder.Path;

    /// <summary>Where tgt's control socket is; without it tgtadm would look for a target of the host.</summary>
    private Dictionary<string, string> Variables => new() { ["TGT_IPC_SOCKET"] = folder.In("control") };

    public static Task<IscsiTarget> StartAsync()
    {
        Requires.Tools(Programs);
        return GuardedFolder.FillAsync("iscsi", async folder =>
        {
            var target = new IscsiTarget(folder);
            folder.Start("tgtd", new HostCommand("tgtd", "-f", "--iscsi", $"portal={Portal}", "-p", folder.In("pid")) { Variables = target.Variables });
            await folder.AnswersAsync("tgtd", () => target.AdministerAsync("--mode", "target", "--op", "show"));
            await target.MakeAsync();
            return target;
        });
    }

    public static string Url(string target, int lun) => $"iscsi://{Portal}/{target}/{lun}";

    public ValueTask DisposeAsync() => folder.DisposeAsync();

    private async Task MakeAsync()
    {
        await AddTargetAsync(1, Open);
        for (var i = 0; i < Sizes.Count; i++)
            await AddLunAsync(1, i + 1, Sizes[i]);
        await AddTargetAsync(2, Closed);
        await AddLunAsync(2, 1, Sizes[0]);
        await AdministerAsync("--mode", "account", "--op", "new", "--user", User, "--password", Password);
        await AdministerAsync("--mode", "account", "--op", "bind", "--tid", "2", "--user", User);
        foreach (var target in new[] { "1", "2" })
            await AdministerAsync("--mode", "target", "--op", "bind", "--tid", target, "-I", "ALL");
    }

    private Task<ToolOutput> AddTargetAsync(int number, string name) =>
        AdministerAsync("--mode", "target", "--op", "new", "--tid", Text(number), "-T", name);

    private Task<ToolOutput> AddLunAsync(int target, int lun, long size)
    {
        var file = folder.In($"{target}-{lun}.img");
        using (var image = File.Create(file))
            image.SetLength(size);
        return AdministerAsync("--mode", "logicalunit", "--op", "new", "--tid", Text(target), "--lun", Text(lun), "-b", file);
    }

    private Task<ToolOutput> AdministerAsync(params string[] arguments) =>
        RealTools.RunAsync(new HostCommand("tgtadm", ["--lld", "iscsi", .. arguments]) { Variables = Variables });

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
