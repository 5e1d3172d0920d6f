using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Npgsql;
using Xunit;

namespace Storage.IntegrationTests;

/// <summary>
/// Secrets by HTTP and by real workers. The passphrase is looked for afterwards, as it is and in base64, wherever it could have been left:
/// the database, the broker's queues, files and log, the logs of all services, and the arguments and variables of the tools.
/// </summary>
[Trait(Servers.Trait, Servers.Any)]
public sealed class SecretTests(TestBackends backends) : IDisposable
{
    private const int MiB = 1 << 20;

    private readonly string passphrase = $"correct horse {Guid.NewGuid():N}";
    private readonly string folder = Directory.CreateTempSubdirectory("told-tool-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_encrypted_volume_is_made_copied_and_resized_and_its_passphrase_is_left_nowhere()
    {
        await using var fleet = await StartAsync();
        var (client, path) = (fleet.Client, await new StorageUnderTest(fleet.Client, fleet.PoolPath).RunningPoolAsync("safe"));
        await CreateSecretAsync(client, "disk");
        await CreateSecretAsync(client, $"{path}/v");
        await client.PostAsync("/v1/pools/safe/volumes", Encrypted("v", "raw", "disk"));
        await client.PostAsync("/v1/pools/safe/volumes", Encrypted("w", "qcow2", "disk"));
        await client.PostAsync("/v1/pools/safe/volumes/w/clone?sourceSecret=disk", new { name = "copy", format = "raw" });
        // Its secret is that of its path.
        await client.PostAsync("/v1/pools/safe/volumes/v/resize", new { capacity = 2 * MiB });
        Assert.Equal(2 * MiB, (await client.ReadAsync("/v1/pools/safe/volumes/v")).GetProperty("capacity").GetInt64());
        Assert.Equal("luks", (await client.ReadAsync("/v1/pools/safe/volumes/w")).GetProperty("encryption").GetProperty("format").GetString());
        await OpenAsync($"{path}/v");

        var queues = await WhatLiesInQueuesAsync(fleet);
        var dump = await DumpAsync(fleet);
        var told = await File.ReadAllTextAsync(Path.Combine(folder, "told"), Cancellation);
        var answers = string.Concat(new[] { "/v1/secrets", "/v1/secrets/disk", "/v1/secret-keys", "/v1/operations?limit=1000", "/v1/events?limit=1000", "/v1/dead-letters" }
            .Select(async address => (await client.GetAsync(address)).Text).Select(text => text.GetAwaiter().GetResult()));
        Assert.Contains("secret,id=encrypt0,file=/proc/", told, StringComparison.Ordinal);
        Assert.Contains("public.secrets", dump, StringComparison.Ordinal);
        AssertNotIn(dump, "the database");
        AssertNotIn(told, "the tools' arguments and variables");
        AssertNotIn(queues, "the queues");
        AssertNotIn(answers, "the answers of the API");
        foreach (var log in Directory.EnumerateFiles(fleet.Folder, "*.log"))
            AssertNotIn(await File.ReadAllTextAsync(log, Cancellation), log);
        foreach (var file in Directory.EnumerateFiles(Path.Combine(fleet.Folder, "state"), "*", SearchOption.AllDirectories))
            AssertNotIn(await ReadAsync(file), file);
        if (backends.Folder is { } servers)
            foreach (var file in Directory.EnumerateFiles(servers, "*", SearchOption.AllDirectories).Where(file => !file.Contains("/pg", StringComparison.Ordinal)))
                AssertNotIn(await ReadAsync(file), file);
    }

    [Fact]
    public async Task Neither_the_services_nor_their_tools_leave_a_core_dump()
    {
        await using var fleet = await StartAsync();
        await new StorageUnderTest(fleet.Client, fleet.PoolPath).RunningPoolAsync("safe");
        await fleet.Client.PostAsync("/v1/pools/safe/volumes", new { name = "v", format = "qcow2", capacity = MiB });
        Assert.All([fleet.Api, fleet.Inventory, .. fleet.Workers], service => AssertNoCores(File.ReadLines($"/proc/{service.Id}/limits")));
        AssertNoCores(File.ReadLines(Path.Combine(folder, "told")));
    }

    [Fact]
    public async Task A_secret_that_is_deleted_while_it_is_used_fails_what_needs_it_next_and_nothing_is_left()
    {
        await using var fleet = await StartAsync();
        var (client, path) = (fleet.Client, await new StorageUnderTest(fleet.Client, fleet.PoolPath).RunningPoolAsync("safe"));
        await CreateSecretAsync(client, "disk");
        await client.PostAsync("/v1/pools/safe/volumes", Encrypted("v", "raw", "disk"));
        Assert.Equal(HttpStatusCode.NoContent, (await client.SendAsync(HttpMethod.Delete, "/v1/secrets/disk")).Status);
        var create = await client.EndOfAsync(await client.SubmitAsync(HttpMethod.Post, "/v1/pools/safe/volumes", Encrypted("w", "raw", "disk")));
        Assert.Equal("secret-not-found", create.GetProperty("error").GetProperty("code").GetString());
        Assert.Equal(["v"], StorageUnderTest.FilesIn(path));
    }

    [Fact]
    public async Task A_volume_waits_for_its_secret_while_the_api_that_has_it_is_away()
    {
        await using var fleet = await StartAsync();
        await new StorageUnderTest(fleet.Client, fleet.PoolPath).RunningPoolAsync("safe");
        await CreateSecretAsync(fleet.Client, "disk");
        // The worker hangs while the command is taken, so that the store is gone before it asks.
        await fleet.Workers[0].SignalAsync("STOP");
        var create = await fleet.Client.SubmitAsync(HttpMethod.Post, "/v1/pools/safe/volumes", Encrypted("v", "raw", "disk"));
        await fleet.Api.KillAsync();
        await fleet.Workers[0].SignalAsync("CONT");
        await fleet.Api.StartAsync();
        Assert.Equal("succeeded", (await fleet.Client.EndOfAsync(create)).GetProperty("state").GetString());
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>A fleet whose Api alone has a key, and whose qemu-img is one that writes down what it was told before it does it.</summary>
    private Task<Fleet> StartAsync()
    {
        var tool = new ToldTool(folder);
        var key = Convert.ToBase64String(System.Security.Cryptography.RandomNumberGenerator.GetBytes(32));
        return Fleet.StartAsync(backends, new FleetLayout
        {
            Environment = new Dictionary<string, string> { ["PATH"] = $"{tool.Folder}:{Environment.GetEnvironmentVariable("PATH")}" },
            EnvironmentOf = name => name == "api" ? new Dictionary<string, string> { ["Secrets__Key"] = key } : new(),
        });
    }

    private async Task CreateSecretAsync(StorageClient client, string usage)
    {
        var made = (await client.SendAsync(HttpMethod.Post, "/v1/secrets", new { usage, description = "a disk" })).OrThrow();
        Assert.False(made.Body.GetProperty("hasValue").GetBoolean());
        var value = new ByteArrayContent(Encoding.UTF8.GetBytes(passphrase)) { Headers = { ContentType = new MediaTypeHeaderValue("application/octet-stream") } };
        var set = (await client.SendAsync(HttpMethod.Put, $"/v1/secrets/{Uri.EscapeDataString(usage)}/value", value)).OrThrow();
        Assert.Equal((made.Body.GetProperty("uuid").GetGuid(), true), (set.Body.GetProperty("uuid").GetGuid(), set.Body.GetProperty("hasValue").GetBoolean()));
    }

    private static object Encrypted(string name, string format, string usage) => new
    {
        name,
        format,
        capacity = MiB,
        allocation = 0,
        encryption = new { format = "luks", secrets = new[] { new { usage, type = "passphrase" } } },
    };

    private async Task OpenAsync(string image)
    {
        var file = Path.Combine(folder, "passphrase");
        await File.WriteAllTextAsync(file, passphrase, Cancellation);
        using var read = Process.Start(new ProcessStartInfo(
            "qemu-img",
            ["convert", "-O", "raw", "--object", $"secret,id=s,file={file}", "--image-opts", $"driver=luks,key-secret=s,file.filename={image}", Path.Combine(folder, "content")]))!;
        await read.WaitForExitAsync(Cancellation);
        Assert.Equal(0, read.ExitCode);
        File.Delete(file);
    }

    /// <summary>Every row of every table, as text.</summary>
    private static async Task<string> DumpAsync(Fleet fleet)
    {
        await using var source = NpgsqlDataSource.Create(fleet.Space.Ledger);
        await using var connection = await source.OpenConnectionAsync(Cancellation);
        var tables = new List<string>();
        await using (var names = new NpgsqlCommand("SELECT 'public.' || quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'", connection))
        await using (var rows = await names.ExecuteReaderAsync(Cancellation))
        {
            while (await rows.ReadAsync(Cancellation))
                tables.Add(rows.GetString(0));
        }
        var text = new StringBuilder();
        foreach (var table in tables)
        {
            using var rows = await connection.BeginTextExportAsync($"COPY {table} TO STDOUT", Cancellation);
            text.AppendLine(table).AppendLine(await rows.ReadToEndAsync(Cancellation));
        }
        return text.ToString();
    }

    /// <summary>The dead letters and what MassTransit kept: nothing else stays in a queue.</summary>
    private static async Task<string> WhatLiesInQueuesAsync(Fleet fleet)
    {
        await using var connection = await fleet.ConnectAsync();
        var text = new StringBuilder();
        foreach (var queue in new[] { "storage.secrets", "storage.secrets_error", "storage.secrets_skipped", "storage.dead-letters", "storage.inventory", "storage.file.host-a" })
        {
            await using var channel = await connection.CreateChannelAsync(cancellationToken: Cancellation);
            try
            {
                while (await channel.BasicGetAsync(queue, autoAck: false, Cancellation) is { } message)
                    text.AppendLine(Encoding.UTF8.GetString(message.Body.Span));
            }
            catch (RabbitMQ.Client.Exceptions.OperationInterruptedException)
            {
                // There is no such queue.
            }
        }
        return text.ToString();
    }

    private static async Task<string> ReadAsync(string file)
    {
        try
        {
            await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var reader = new StreamReader(stream, Encoding.Latin1);
            return await reader.ReadToEndAsync(Cancellation);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    /// <summary>1 is also no dump for a program that takes them, which is given one where the limit is 0.</summary>
    private static void AssertNoCores(IEnumerable<string> limits)
    {
        var cores = limits.Where(line => line.StartsWith("Max core file size", StringComparison.Ordinal)).ToArray();
        Assert.NotEmpty(cores);
        Assert.All(cores, line => Assert.Equal(["1", "1", "bytes"], line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^3..]));
    }

    private void AssertNotIn(string text, string where)
    {
        string[] forms =
        [
            passphrase, JsonSerializer.Serialize(passphrase), Convert.ToBase64String(Encoding.UTF8.GetBytes(passphrase)),
            Convert.ToHexStringLower(Encoding.UTF8.GetBytes(passphrase)),
        ];
        Assert.All(forms, form => Assert.False(text.Contains(form, StringComparison.OrdinalIgnoreCase), $"The passphrase is in {where}."));
    }
}
