using Storage.Api;
using Storage.Contracts;
using Storage.Hosting;
using Storage.Inventory;
using Storage.Ledger;
using Storage.Standalone;
using Storage.Worker;
using Storage.Worker.Block;
using Storage.Worker.File;

ProcessStart.Prepare();
var builder = WebApplication.CreateBuilder(args);
var folder = StandaloneDefaults.DataFolder(builder.Configuration);
using var taken = DataFolderLock.TryTake(folder);
if (taken is null)
{
    Console.Error.WriteLine($"Another process uses the data folder {folder}.");
    return 1;
}
StandaloneDefaults.Apply(builder.Configuration, folder);
builder.AddServiceTelemetry("storage-standalone");
builder.Services.AddLedger(builder.Configuration);
builder.Services.AddStorageApi(builder.Configuration);
builder.Services.AddInventory(builder.Configuration);
builder.Services.AddStorageBus(builder.Configuration);
builder.Services.AddWorker(builder.Configuration, PoolFamily.File);
builder.Services.AddFileFamily();
builder.Services.AddWorker(builder.Configuration, PoolFamily.Block);
builder.Services.AddBlockFamily();
builder.Services.AddHealthChecks().AddCheck<HostKnown>("host-known", tags: ["ready"]);
var app = builder.Build();
app.MapServiceHealth();
app.MapStorageApi();
app.Run();
return 0;
