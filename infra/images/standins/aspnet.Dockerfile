# Stands in for the ASP.NET runtime image where no image registry can be reached: the .NET of the machine that builds it, which is
# the build context "dotnet".
FROM storage-standin/debian
RUN apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
      ca-certificates libssl3 libstdc++6 zlib1g tzdata && rm -rf /var/lib/apt/lists/* && \
    useradd --uid 1654 --create-home app
COPY dotnet /usr/share/dotnet
RUN ln -s /usr/share/dotnet/dotnet /usr/bin/dotnet
ENV DOTNET_RUNNING_IN_CONTAINER=true DOTNET_NOLOGO=true ASPNETCORE_HTTP_PORTS=8080
