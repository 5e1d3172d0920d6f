using System.Runtime.Serialization;
using System.Text;
using System.Text.Json;
using Storage.Contracts;
using Storage.Hosting;
using Xunit;

namespace Storage.Tests;

public sealed class DeadMessageTests
{
    private static readonly StorageError Error = new(ErrorCodes.Internal, "no");

    [Fact]
    public void A_long_body_is_cut_and_its_true_length_told()
    {
        var letter = Letter(Message(new byte[DeadMessage.BodyLimit + 1]));
        Assert.Equal((DeadMessage.BodyLimit, DeadMessage.BodyLimit + 1L, false), (letter.Body.Length, letter.BodyLength, letter.Masked));
    }

    [Fact]
    public void A_body_at_the_limit_is_whole()
    {
        var body = Enumerable.Range(0, DeadMessage.BodyLimit).Select(i => (byte)i).ToArray();
        Assert.Equal(body, Letter(Message(body)).Body);
    }

    [Fact]
    public void A_secret_across_the_cut_is_not_kept()
    {
        var body = new string(' ', DeadMessage.BodyLimit - 12) + "amqp://u:geheim@host/";
        Assert.DoesNotContain("ge", Encoding.UTF8.GetString(Letter(Message(Encoding.UTF8.GetBytes(body))).Body));
    }

    [Fact]
    public void Headers_and_texts_are_bounded_and_without_secrets_and_zero_characters()
    {
        var headers = Enumerable.Range(0, 100).Select(i => KeyValuePair.Create($"h{i}", (object?)"v"))
            .Prepend(new("Authorization", "Bearer geheim")).Prepend(new("long", new string('x', 10_000)))
            .Prepend(new("bytes", "a\0b"u8.ToArray())).Prepend(new("none", null));
        var letter = Message([]) with { Headers = headers, MessageType = "amqp://u:geheim@h" };
        var kept = letter.ToLetter(new StorageError(ErrorCodes.Internal, "\"password\":\"geheim\" \0"), null, DateTimeOffset.UnixEpoch);
        Assert.Equal(DeadMessage.HeaderLimit, kept.Headers.Count);
        Assert.Equal(("a\uFFFDb", "***", DeadMessage.TextLimit), (kept.Headers["bytes"], kept.Headers["Authorization"], kept.Headers["long"].Length));
        Assert.DoesNotContain("geheim", JsonSerializer.Serialize(kept));
        Assert.DoesNotContain('\0', kept.Error.Message);
    }

    [Fact]
    public void Deliveries_of_one_message_have_one_fingerprint_and_other_messages_another()
    {
        var message = Message([1, 2, 3]) with { MessageId = "a" };
        var first = Letter(message);
        Assert.Equal(first.Fingerprint, Letter(message with { ContentType = "text/plain" }).Fingerprint);
        Assert.NotEqual(first.Id, Letter(message).Id);
        DeadMessage[] others =
        [
            message with { MessageId = "b" }, message with { Queue = "other" }, message with { Body = [1, 2] },
            message with { Headers = [new(DeadMessage.ReplayHeader, Guid.NewGuid().ToString())] },
        ];
        Assert.All(others, other => Assert.NotEqual(first.Fingerprint, Letter(other).Fingerprint));
    }

    [Fact]
    public void A_replay_names_the_letter_that_it_comes_from()
    {
        var id = Guid.NewGuid();
        Assert.Equal(id, Letter(Message([]) with { Headers = [new(DeadMessage.ReplayHeader, Encoding.ASCII.GetBytes(id.ToString()))] }).ReplayOf);
        Assert.Null(Letter(Message([]) with { Headers = [new(DeadMessage.ReplayHeader, "mine")] }).ReplayOf);
    }

    [Fact]
    public void An_exception_says_the_reason()
    {
        Assert.Equal(ErrorCodes.InvalidDocument, DeadMessage.ErrorOf(new SerializationException()).Code);
        Assert.Equal(ErrorCodes.InvalidDocument, DeadMessage.ErrorOf(new JsonException()).Code);
        Assert.Equal(ErrorCodes.PoolNotFound, DeadMessage.ErrorOf(new StorageException(ErrorCodes.PoolNotFound, "no")).Code);
        Assert.Equal(ErrorCodes.Internal, DeadMessage.ErrorOf(new InvalidOperationException()).Code);
    }

    private static DeadLetter Letter(DeadMessage message) => message.ToLetter(Error, null, DateTimeOffset.UtcNow);

    private static DeadMessage Message(byte[] body) => new("q", body, null, null, null, []);
}
