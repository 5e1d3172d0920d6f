using Microsoft.Extensions.DependencyInjection;
using Storage.Contracts;
using Storage.StandInWorker;
using Storage.Worker;

await WorkerHost.RunAsync(args, PoolFamily.Network, services => services.AddSingleton<IPoolBackend, DirectoryCluster>());
