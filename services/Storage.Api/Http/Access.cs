using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Options;
using Storage.Contracts;

namespace Storage.Api;

/// <summary>
/// Who is let in. With a token, whoever brings it. Without one, only who comes by loopback, and not a web page of another site that
/// uses somebody's browser for it.
/// </summary>
public sealed class Access(RequestDelegate next, IOptions<ApiOptions> options)
{
    private readonly bool anonymous = options.Value.AllowAnonymous;
    private readonly byte[]? token = options.Value.Token is { Length: > 0 } secret ? Hash(secret) : null;

    public Task InvokeAsync(HttpContext http)
    {
        if (!http.Request.Path.StartsWithSegments("/v1"))
            return next(http);
        var refusal = token is not null ? WithToken(http.Request) : anonymous ? null : WithoutToken(http);
        return refusal is null ? next(http) : throw new StorageException(ErrorCodes.Unauthorized, refusal, "Authorization");
    }

    private string? WithToken(HttpRequest request)
    {
        const string Scheme = "Bearer ";
        var header = request.Headers.Authorization.ToString();
        if (!header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
            return "A bearer token is required.";
        // Hashes have one length, so that the time says nothing about the token.
        return CryptographicOperations.FixedTimeEquals(Hash(header[Scheme.Length..].Trim()), token) ? null : "The token is not valid.";
    }

    private static string? WithoutToken(HttpContext http)
    {
        if (http.Connection.LocalIpAddress is { } address && !IPAddress.IsLoopback(Unmapped(address)))
            return "Without a token only loopback is served.";
        if (!IsLoopback(http.Request.Host.Host))
            return $"Without a token the host '{http.Request.Host.Host}' is not served; call it localhost.";
        var origin = http.Request.Headers.Origin.ToString();
        return origin.Length == 0 || Uri.TryCreate(origin, UriKind.Absolute, out var uri) && uri.Authority == http.Request.Host.Value
            ? null
            : $"Without a token the pages of {origin} are not served.";
    }

    /// <summary>Whether an address that the server listens on can be reached from this machine only.</summary>
    public static bool IsLocal(string address)
    {
        var binding = BindingAddress.Parse(address);
        return binding.IsUnixPipe || binding.IsNamedPipe || IsLoopback(binding.Host);
    }

    private static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(Unmapped(address));

    private static IPAddress Unmapped(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private static byte[] Hash(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));
}

/// <summary>Ends the start of a service that anyone could reach. Until then <see cref="Access"/> answers nobody but loopback.</summary>
public sealed class AccessCheck(IServer server, IOptions<ApiOptions> options) : IHostedLifecycleService
{
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        if (options.Value is { Token: null or "", AllowAnonymous: false }
            && server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault(address => !Access.IsLocal(address)) is { } open)
        {
            throw new InvalidOperationException(
                $"The API would be open to everyone at {open}. Set Api:Token or Api:TokenFile, or listen on loopback only "
                + "(--urls http://127.0.0.1:8080), or say Api:AllowAnonymous=true where the network is closed by other means.");
        }
        return Task.CompletedTask;
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
