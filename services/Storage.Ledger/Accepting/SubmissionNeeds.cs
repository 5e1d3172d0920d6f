using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>
/// Says what commands are going to need of the ledger before their transaction begins. Which pools they mean is told by names that were seen before: one
/// that means another pool by now is only read later than it could have been.
/// </summary>
internal sealed class SubmissionNeeds(KnownWorkers workers)
{
    private const int Kept = 20_000;

    private readonly Dictionary<(string? Host, string Name), Guid> pools = [];

    public Wanted Of(IReadOnlyList<Submission> submissions)
    {
        var wanted = new Wanted();
        foreach (var submission in submissions)
        {
            wanted.Operations.Add(submission.Id);
            switch (submission.Command)
            {
                case CancelOperation cancel:
                    wanted.Operations.Add(cancel.OperationId);
                    break;
                case DefinePool define:
                    AddDefinition(wanted, define);
                    break;
                case IPoolCommand known:
                    Add(wanted, known);
                    break;
            }
        }
        return wanted;
    }

    /// <summary>Remembers which pool a command meant.</summary>
    public void Learn(ICommand command, OperationRow operation)
    {
        if (operation.PoolId is not { } pool)
            return;
        if (pools.Count > Kept)
            pools.Clear();
        if (command is DefinePool define)
            pools[(null, define.Definition.Name!)] = pool;
        else if (command is IPoolCommand known)
            pools[(known.Host, known.Pool)] = pool;
    }

    private void AddDefinition(Wanted wanted, DefinePool define)
    {
        var host = define.Host ?? workers.Newest?.OnlyHost(PoolTypes.Of(define.Definition.Type).Family);
        if (host is not null)
            wanted.PoolNames.Add((host, define.Definition.Name!));
        if (define.Definition.Uuid is { } uuid)
            wanted.Pools.Add(uuid);
    }

    private void Add(Wanted wanted, IPoolCommand command)
    {
        var pool = AddPool(wanted, command.Pool, command.Host);
        wanted.AnyBacked |= command is DeleteVolume or DeleteVolumes or WipeVolume or ResizeVolume;
        foreach (var volume in TargetResolver.VolumesOf(command))
            AddVolume(wanted, pool, volume);
        if (command is CloneVolume clone)
            AddVolume(wanted, clone.SourcePool is null ? pool : AddPool(wanted, clone.SourcePool, clone.Host), clone.SourceVolume);
    }

    private Guid? AddPool(Wanted wanted, string named, string? host)
    {
        Guid? known = pools.TryGetValue((host, named), out var seen) ? seen : null;
        if (Guid.TryParse(named, out var id))
            wanted.Pools.Add((known = id).Value);
        else
            wanted.PoolNames.Add((host, named));
        if (known is { } pool)
            wanted.Lines.Add(Resources.Pool(pool));
        return known;
    }

    private static void AddVolume(Wanted wanted, Guid? pool, string name)
    {
        if (pool is not { } known)
            return;
        wanted.AddVolume(known, name);
        wanted.Lines.Add(Resources.Volume(known, name));
    }
}
