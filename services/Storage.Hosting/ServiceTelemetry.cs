using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Storage.Hosting;

/// <summary>Logs, health, traces and metrics: the same for every service.</summary>
public static class ServiceTelemetry
{
    /// <summary>The name of our own activity source and meter.</summary>
    public const string Source = "Storage";

    public static readonly string Version =
        Assembly.GetExecutingAssembly().GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0";

    /// <summary>Traces and metrics go to the OTLP endpoint of <c>OTEL_EXPORTER_OTLP_ENDPOINT</c>, when that is set.</summary>
    public static IHostApplicationBuilder AddServiceTelemetry(this IHostApplicationBuilder builder, string service)
    {
        builder.Logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.UseUtcTimestamp = true;
            console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
        });
        // What frameworks say of every request and query is noise; Logging:LogLevel can ask for it.
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning).AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Information)
            // Told by the check's answer, and by the exception that follows.
            .AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.Critical)
            .AddFilter("Microsoft.EntityFrameworkCore.Database.Command", LogLevel.Critical)
            .AddFilter("MassTransit", LogLevel.Warning).AddFilter("System", LogLevel.Warning);
        builder.Logging.AddConfiguration(builder.Configuration.GetSection("Logging"));
        var otlp = !string.IsNullOrEmpty(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]);
        builder.Services.AddHealthChecks();
        var telemetry = builder.Services.AddOpenTelemetry().ConfigureResource(resource => resource.AddService(service, "storage", Version));
        // Nobody pays for traces that go nowhere: every query and message would have one.
        if (otlp)
            telemetry.WithTracing(tracing => tracing.AddSource(Source, "MassTransit", "Npgsql").AddAspNetCoreInstrumentation().AddOtlpExporter());
        telemetry.WithMetrics(metrics =>
        {
            metrics.AddMeter(Source, "MassTransit", "Npgsql").AddAspNetCoreInstrumentation().AddRuntimeInstrumentation().AddPrometheusExporter();
            if (otlp)
                metrics.AddOtlpExporter();
        });
        return builder;
    }

    /// <summary><c>/health/live</c> (the process answers), <c>/health/ready</c> (its database and broker do) and <c>/metrics</c>.</summary>
    public static void MapServiceHealth(this WebApplication app)
    {
        app.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false, ResponseWriter = HealthAnswer.WriteAsync });
        app.MapHealthChecks("/health/ready", new HealthCheckOptions { Predicate = check => check.Tags.Contains("ready"), ResponseWriter = HealthAnswer.WriteAsync });
        app.MapPrometheusScrapingEndpoint();
    }
}
