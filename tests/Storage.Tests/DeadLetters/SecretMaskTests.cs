using System.Text;
using Storage.Hosting;
using Xunit;

namespace Storage.Tests;

public sealed class SecretMaskTests
{
    [Theory]
    [InlineData("""{"password":"geheim"}""", """{"password":"***"}""")]
    [InlineData("""{"a":1,"dbPassword" : "ge\"heim\\","b":2}""", """{"a":1,"dbPassword" : "***","b":2}""")]
    [InlineData("""{"PASSPHRASE":"geheim","Token":12345,"apiKey":"geheim"}""", """{"PASSPHRASE":"***","Token":"***","apiKey":"***"}""")]
    [InlineData("""{"tokens":["geheim","geheim"],"a":[1]}""", """{"tokens":"***","a":[1]}""")]
    [InlineData("""{"headers":{"Authorization":"Bearer geheim"}}""", """{"headers":{"Authorization":"***"}}""")]
    [InlineData("""{"secret":"geheim""", """{"secret":"***" """)]
    [InlineData("""{"arguments":"{\"password\":\"geheim\",\"a\":1}"}""", """{"arguments":"{\"password\":\"***\",\"a\":1}"}""")]
    [InlineData("from amqp://user:geheim@host:5672/v to", "from amqp://user:***@host:5672/v to")]
    [InlineData("AMQPS://:geheim@host", "AMQPS://:***@host")]
    public void A_secret_is_masked(string text, string masked) => Assert.Equal(masked.TrimEnd(), SecretMask.Text(text));

    [Theory]
    [InlineData("""{"secret":{"uuid":"6f1c1f3e-51a5-4f4b-9d0b-3f1f7b9c2a10","usage":"ceph"},"secrets":[{"usage":"x"}]}""")]
    [InlineData("""{"pool":"images","volume":{"name":"a","capacity":1}}""")]
    [InlineData("""{"password":null,"usesToken":true}""")]
    [InlineData("amqp://host:5672/v and mail a:b@c")]
    [InlineData("rabbitmq://localhost/storage.commands?durable=true")]
    public void What_is_no_secret_stays(string text) => Assert.Equal(text, SecretMask.Text(text));

    [Theory]
    [InlineData("Authorization", true)]
    [InlineData("X-Api-Key", true)]
    [InlineData("proxy-authorization", true)]
    [InlineData("Set-Cookie", true)]
    [InlineData("traceparent", false)]
    [InlineData("MT-Host-MachineName", false)]
    public void A_name_says_that_a_value_is_secret(string name, bool secret) => Assert.Equal(secret, SecretMask.IsSecret(name));

    [Fact]
    public void Bytes_without_secrets_are_the_same_object_whatever_they_are()
    {
        var bytes = Enumerable.Range(0, 1024).Select(i => (byte)i).ToArray();
        Assert.Same(bytes, SecretMask.Bytes(bytes));
    }

    [Fact]
    public void Bytes_around_a_secret_stay_as_they_are()
    {
        byte[] around = [0x00, 0xFF, 0xC3, 0x28];
        Assert.Equal(
            [.. around, .. "\"token\":\"***\""u8, .. around],
            SecretMask.Bytes([.. around, .. Encoding.UTF8.GetBytes("\"token\":\"gehéim\""), .. around]));
    }
}
