using Storage.Hosting;
using Storage.Inventory;
using Storage.Ledger;

ProcessStart.Prepare();
var builder = WebApplication.CreateBuilder(args);
builder.AddServiceTelemetry("storage-inventory");
builder.Services.AddInventory(builder.Configuration);
builder.Services.AddStorageBus(builder.Configuration);
var app = builder.Build();
if (args is ["rebuild", ..])
{
    await app.Services.GetRequiredService<LedgerMigration>().StartAsync(CancellationToken.None);
    var applied = await app.Services.GetRequiredService<LedgerRebuild>().RunAsync(CancellationToken.None);
    Console.WriteLine($"Rebuilt the inventory from {applied} events.");
    return;
}
app.MapServiceHealth();
app.Run();
