using Storage.Contracts;

namespace Storage.Worker;

/// <summary>One run of an operation, as a backend sees it.</summary>
/// <param name="operationId">The operation. Names of temporary files are made from it.</param>
/// <param name="resumed">An earlier run began to change the host and was cut off.</param>
/// <param name="begin">Journals that the host is about to be changed.</param>
/// <param name="progress">Where progress goes.</param>
public sealed class Run(Guid operationId, bool resumed, Func<CancellationToken, Task> begin, IProgress<OperationProgress> progress)
{
    public Guid OperationId { get; } = operationId;

    public bool Resumed { get; } = resumed;

    public IProgress<OperationProgress> Progress { get; } = progress;

    /// <summary>It was stopped to go on later, and maybe by another replica: whatever is on the storage is left as it is.</summary>
    public bool CutOff => IsCutOff();

    public Func<bool> IsCutOff { private get; init; } = () => false;

    /// <summary>Whether this worker has run another operation to its end. What such a one left behind belongs to nobody.</summary>
    public Func<Guid, Task<bool>> HasEndedAsync { get; init; } = _ => Task.FromResult(false);

    /// <summary>Where backing stores may lie, beside the directories of the pools that the run is about.</summary>
    public BackingPlaces BackingPlaces { get; init; } = BackingPlaces.None;

    /// <summary>Where the values of secrets come from.</summary>
    public Func<SecretReference, CancellationToken, Task<SecretValue>> Secrets { private get; init; } =
        (_, _) => throw new StorageException(ErrorCodes.SecretsUnavailable, "This run has no source of secrets.");

    /// <summary>Journals a plan of a run that has begun.</summary>
    public Func<string, Task> Checkpoint { private get; init; } = _ => Task.CompletedTask;

    /// <summary>
    /// What the run has worked out and must not work out again: set before it begins, journalled with the begin, and found here by the
    /// resumed run. Null where there is nothing.
    /// </summary>
    public string? Plan { get; set; }

    /// <summary>
    /// Called after the checks and before the first step that changes the host: what is found there in a resumed run is ours.
    /// Calling it again does nothing.
    /// </summary>
    public Task BeginAsync(CancellationToken cancellationToken) => begin(cancellationToken);

    /// <summary>
    /// Replaces the <see cref="Plan"/> of a run that has begun: so far it has come. What the plan says must be on the disk already. Where it
    /// cannot be journalled, and where another replica may go on with the run, the resumed run finds an earlier one, or none.
    /// </summary>
    public Task CheckpointAsync(string plan)
    {
        Plan = plan;
        return Checkpoint(plan);
    }

    /// <summary>
    /// The value of a secret that the operation or its pool names: asked for each time, disposed of by the caller as soon as it was used.
    /// Before <see cref="BeginAsync"/>, since it may be refused.
    /// </summary>
    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.SecretNotFound"/>, <see cref="ErrorCodes.SecretWithoutValue"/>, <see cref="ErrorCodes.SecretRefused"/>,
    /// <see cref="ErrorCodes.SecretsUnavailable"/>; <see cref="ErrorCodes.ServiceUnavailable"/> where nobody answers.
    /// </exception>
    public Task<SecretValue> ResolveAsync(SecretReference secret, CancellationToken cancellationToken) => Secrets(secret, cancellationToken);
}
