using Microsoft.Extensions.Logging.Abstractions;
using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.Tests.Secrets;

/// <summary>How a worker asks for a secret.</summary>
public sealed class RunSecretsTests
{
    private static readonly SecretReference Secret = new(Usage: "disk");

    private readonly List<ResolveSecret> asked = [];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_has_the_value_and_asks_with_another_key_each_time()
    {
        var secrets = Of(question => Sealed(question, question.OperationId));
        for (var times = 0; times < 2; times++)
        {
            using var value = await secrets.ResolveAsync(Guid.NewGuid(), Secret, Cancellation);
            Assert.Equal("horse"u8.ToArray(), value.Bytes.ToArray());
        }
        Assert.NotEqual(asked[0].PublicKey, asked[1].PublicKey);
    }

    [Fact]
    public async Task Nobody_who_answers_is_asked_again()
    {
        var secrets = Of(question => asked.Count < 3 ? throw new TimeoutException() : Sealed(question, question.OperationId));
        using var value = await secrets.ResolveAsync(Guid.NewGuid(), Secret, Cancellation);
        Assert.Equal(3, asked.Count);
    }

    [Fact]
    public async Task A_store_that_stays_silent_is_an_error_that_passes()
    {
        var error = await FailAsync(Of(_ => throw new TimeoutException()), Guid.NewGuid());
        Assert.Equal((ErrorCodes.ServiceUnavailable, true), (error.Code, error.Retryable));
    }

    [Fact]
    public async Task What_the_store_refuses_is_not_asked_again()
    {
        var error = await FailAsync(Of(question => new SecretResolved(question.OperationId, Error: new StorageError(ErrorCodes.SecretRefused, "no"))), Guid.NewGuid());
        Assert.Equal((ErrorCodes.SecretRefused, 1), (error.Code, asked.Count));
    }

    [Fact]
    public async Task An_answer_for_another_operation_is_not_taken() =>
        Assert.Equal(ErrorCodes.InvalidArgument, (await FailAsync(Of(question => Sealed(question, Guid.NewGuid())), Guid.NewGuid())).Code);

    private RunSecrets Of(Func<ResolveSecret, SecretResolved> answer) => new(
        (question, _) =>
        {
            asked.Add(question);
            return Task.FromResult(answer(question));
        },
        (operation, secret, publicKey) => new ResolveSecret(operation, PoolFamily.File, "host-a", Guid.Empty, secret, publicKey), NullLogger.Instance);

    private static SecretResolved Sealed(ResolveSecret question, Guid operation) =>
        new(operation, SecretSealing.Seal("horse"u8, question.PublicKey, operation));

    private static async Task<StorageError> FailAsync(RunSecrets secrets, Guid operation) =>
        (await Assert.ThrowsAsync<StorageException>(() => secrets.ResolveAsync(operation, Secret, Cancellation))).Error;
}
