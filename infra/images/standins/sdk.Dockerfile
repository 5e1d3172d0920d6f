# Stands in for the .NET SDK image where no image registry can be reached: SDK and NuGet packages of the machine that builds it.
FROM storage-standin/aspnet
COPY dotnet /usr/share/dotnet
COPY packages /packages
# All packages are there, so that a build asks no package source for anything, also not for known vulnerabilities.
ENV DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 NUGET_PACKAGES=/packages NuGetAudit=false DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_GENERATE_ASPNET_CERTIFICATE=false
