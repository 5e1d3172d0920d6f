# The image of one service:
#
#   docker build -f infra/images/service.Dockerfile --build-arg SERVICE=Storage.Api .
#
# SDK and RUNTIME may name other images with the .NET SDK and the ASP.NET runtime.
ARG SDK=mcr.microsoft.com/dotnet/sdk:10.0
ARG RUNTIME=mcr.microsoft.com/dotnet/aspnet:10.0

FROM ${SDK} AS build
WORKDIR /source
COPY . .
# All services in one step, so that their images share it.
RUN for program in services/*/Program.cs; do \
      service=$(basename "$(dirname "$program")") && \
      dotnet publish "services/$service" --configuration Release --output "/published/$service" --verbosity quiet || exit 1; \
    done

FROM ${RUNTIME}
ARG SERVICE
# What the service runs besides .NET: the host tools of a worker, as its list says.
COPY infra/images/packages/ /packages/
RUN if [ -e "/packages/$SERVICE" ]; then \
      apt-get update -q && DEBIAN_FRONTEND=noninteractive xargs apt-get install -q -y --no-install-recommends <"/packages/$SERVICE" && rm -rf /var/lib/apt/lists/*; \
    fi; rm -rf /packages
COPY infra/images/healthy /usr/local/bin/
WORKDIR /app
COPY --from=build /published/${SERVICE} .
# One port for everything, told by Urls alone: the base image's own setting would be a second one.
ENV SERVICE=${SERVICE} Urls=http://0.0.0.0:8080 ASPNETCORE_HTTP_PORTS=
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s --retries=6 CMD ["healthy"]
# The user of the base image that is not root; workers change owners of volumes and so run as 0.
ARG RUN_AS=1654
USER ${RUN_AS}
ENTRYPOINT ["/bin/sh", "-c", "exec dotnet \"$SERVICE.dll\" \"$@\"", "service"]
