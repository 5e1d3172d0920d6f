using Storage.Api;
using Storage.Hosting;
using Storage.Ledger;

ProcessStart.Prepare();
var builder = WebApplication.CreateBuilder(args);
builder.AddServiceTelemetry("storage-api");
builder.Services
    .AddLedger(builder.Configuration)
    .AddStorageApi(builder.Configuration)
    .AddStorageBus(builder.Configuration);

var app = builder.Build();
app.MapServiceHealth();
app.MapStorageApi();
await app.RunAsync();
