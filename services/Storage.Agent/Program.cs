using Storage.Contracts;
using Storage.Worker;
using Storage.Worker.Block;
using Storage.Worker.File;

await WorkerHost.RunAsync(args, new Dictionary<PoolFamily, Action<IServiceCollection>>
{
    [PoolFamily.File] = services => services.AddFileFamily(),
    [PoolFamily.Block] = services => services.AddBlockFamily(),
});
