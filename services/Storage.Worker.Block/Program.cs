using Storage.Contracts;
using Storage.Worker;
using Storage.Worker.Block;

await WorkerHost.RunAsync(args, PoolFamily.Block, services => services.AddBlockFamily());
