using System.Text;
using Npgsql;
using RabbitMQ.Client;
using Xunit;

namespace Storage.IntegrationTests;

public sealed class BackendsTests(TestBackends backends)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_message_put_into_a_queue_comes_out_of_it()
    {
        await using var space = await backends.CreateSpaceAsync();
        await using var connection = await ConnectAsync(space);
        await using var channel = await ConfirmingChannelAsync(connection);
        await channel.QueueDeclareAsync("q", durable: true, exclusive: false, autoDelete: false, cancellationToken: Cancellation);
        await PublishAsync(channel, "hello");

        var message = await channel.BasicGetAsync("q", autoAck: true, Cancellation);

        Assert.Equal("hello", Encoding.UTF8.GetString(message!.Body.Span));
    }

    [Fact]
    public async Task A_row_put_into_a_table_comes_out_of_it()
    {
        await using var space = await backends.CreateSpaceAsync();
        await using var source = NpgsqlDataSource.Create(space.Ledger);
        await source.CreateCommand("CREATE TABLE t (name text); INSERT INTO t VALUES ('hello')").ExecuteNonQueryAsync(Cancellation);

        Assert.Equal("hello", await source.CreateCommand("SELECT name FROM t").ExecuteScalarAsync(Cancellation));
    }

    [Fact]
    public async Task Two_spaces_share_neither_queues_nor_tables()
    {
        await using var one = await backends.CreateSpaceAsync();
        await using var two = await backends.CreateSpaceAsync();
        await using var connection = await ConnectAsync(one);
        await using var channel = await ConfirmingChannelAsync(connection);
        await channel.QueueDeclareAsync("q", durable: true, exclusive: false, autoDelete: false, cancellationToken: Cancellation);
        await using var other = await ConnectAsync(two);
        await using var otherChannel = await ConfirmingChannelAsync(other);

        await Assert.ThrowsAsync<RabbitMQ.Client.Exceptions.OperationInterruptedException>(
            () => otherChannel.QueueDeclarePassiveAsync("q", Cancellation));
        Assert.NotEqual(one.Ledger, two.Ledger);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_was_confirmed_outlives_a_restart_of_both_servers(bool killed)
    {
        await using var space = await backends.CreateSpaceAsync();
        await using (var connection = await ConnectAsync(space))
        {
            await using var channel = await ConfirmingChannelAsync(connection);
            await channel.QueueDeclareAsync("q", durable: true, exclusive: false, autoDelete: false, cancellationToken: Cancellation);
        }
        // A broker that is killed may have forgotten a queue that it was told of a moment ago; after a clean restart it has not.
        if (killed)
            await backends.RestartBrokerAsync();
        await using (var connection = await ConnectAsync(space))
        {
            await using var channel = await ConfirmingChannelAsync(connection);
            await PublishAsync(channel, "hello");
        }
        await using var source = NpgsqlDataSource.Create(space.Ledger + ";Pooling=false");
        await source.CreateCommand("CREATE TABLE t (name text); INSERT INTO t VALUES ('hello')").ExecuteNonQueryAsync(Cancellation);

        if (killed)
        {
            await backends.Broker.KillAsync();
            await backends.Database.KillAsync();
            await backends.Broker.StartAsync(Cancellation);
            await backends.Database.StartAsync(Cancellation);
        }
        else
        {
            await backends.RestartBrokerAsync();
            await backends.RestartDatabaseAsync();
        }

        await using var again = await ConnectAsync(space);
        await using var newChannel = await ConfirmingChannelAsync(again);
        var message = await newChannel.BasicGetAsync("q", autoAck: true, Cancellation);
        Assert.Equal("hello", Encoding.UTF8.GetString(message!.Body.Span));
        Assert.Equal("hello", await source.CreateCommand("SELECT name FROM t").ExecuteScalarAsync(Cancellation));
    }

    private static Task<IConnection> ConnectAsync(BackendSpace space) =>
        new ConnectionFactory { Uri = space.Bus }.CreateConnectionAsync(Cancellation);

    private static Task<IChannel> ConfirmingChannelAsync(IConnection connection) => connection.CreateChannelAsync(
        new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true), Cancellation);

    private static async Task PublishAsync(IChannel channel, string text) => await channel.BasicPublishAsync(
        "", "q", mandatory: true, new BasicProperties { Persistent = true }, Encoding.UTF8.GetBytes(text), Cancellation);
}
