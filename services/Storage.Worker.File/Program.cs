using Storage.Contracts;
using Storage.Worker;
using Storage.Worker.File;

await WorkerHost.RunAsync(args, PoolFamily.File, services => services.AddFileFamily());
