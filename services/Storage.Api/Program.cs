using Storage.Api;
using Storage.Hosting;
using Storage.Ledger;

SettingsFiles.ReadOnce();
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
