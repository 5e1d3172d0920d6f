using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;
using Scalar.AspNetCore;
using Storage.Contracts;
using Storage.Hosting;
using Storage.Ledger;

namespace Storage.Api;

/// <summary>The HTTP API and the bus door, for the process that hosts them. The ledger and the bus are the host's to add.</summary>
public static class ApiServices
{
    public static IServiceCollection AddStorageApi(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<ApiOptions>().Bind(configuration.GetSection(ApiOptions.Section)).PostConfigure(ReadTokenFile).ValidateOnStart();
        services.AddSingleton<OperationViews>();
        services.AddSingleton<CommandSubmission>();
        services.AddSingleton<FreshReads>();
        services.AddHostedService<AccessCheck>();

        services.ConfigureHttpJsonOptions(json => StorageJson.Configure(json.SerializerOptions, JsonUnmappedMemberHandling.Skip));
        services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
        services.Configure<KestrelServerOptions>(kestrel => kestrel.AddServerHeader = false);
        // A request is handled by the thread that has received it, and an answer sent by the one that has it: nothing here blocks its thread.
        services.Configure<SocketTransportOptions>(sockets => sockets.UnsafePreferInlineScheduling = true);
        services.AddApiDocument();

        services.AddSecrets(configuration);
        services.AddSingleton(CommandHandlers.Endpoint);
        var bus = configuration.GetSection(BusOptions.Section).Get<BusOptions>() ?? new BusOptions();
        if (!bus.InMemory)
            services.AddSingleton<JsonCommandConsumer>().AddHostedService<JsonCommandDoor>();
        return services;
    }

    public static void MapStorageApi(this WebApplication app)
    {
        app.UseMiddleware<ProblemResponses>();
        app.UseMiddleware<Access>();

        app.MapOpenApi("/openapi/{documentName}.json");
        app.MapScalarApiReference("/docs", page =>
        {
            page.Title = "Storage API";
            // Nothing on the page may need another server.
            page.DefaultFonts = false;
            page.Telemetry = false;
            page.Agent = new ScalarAgentOptions { Disabled = true };
            page.Mcp = new ScalarMcpOptions { Disabled = true };
            page.HideClientButton = true;
        });
        app.MapGet("/", () => Results.Redirect("/docs")).ExcludeFromDescription();

        var v1 = app.MapGroup("/v1").AddEndpointFilter<RequestChecks>();
        v1.MapPools();
        v1.MapVolumes();
        v1.MapOperations();
        v1.MapDefinitions();
        v1.MapHosts();
        v1.MapPoolTypes();
        v1.MapEvents();
        v1.MapDeadLetters();
        v1.MapSecrets();
    }

    private static void ReadTokenFile(ApiOptions options)
    {
        if (options.TokenFile is not { Length: > 0 } file)
            return;
        if (options.Token is { Length: > 0 })
            throw new OptionsValidationException(nameof(ApiOptions), typeof(ApiOptions), ["Both Api:Token and Api:TokenFile are set."]);
        options.Token = File.ReadAllText(file).Trim();
        if (options.Token.Length == 0)
            throw new OptionsValidationException(nameof(ApiOptions), typeof(ApiOptions), [$"The token file {file} is empty."]);
    }
}
