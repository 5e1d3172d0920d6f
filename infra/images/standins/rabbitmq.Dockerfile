# Stands in for the official RabbitMQ image with the management plugin where no image registry can be reached: Debian's package,
# the same environment.
FROM storage-standin/debian
RUN apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends rabbitmq-server && \
    rm -rf /var/lib/apt/lists/* && rm -rf /var/lib/rabbitmq/.erlang.cookie /var/lib/rabbitmq/mnesia && \
    echo '[rabbitmq_management].' >/etc/rabbitmq/enabled_plugins
# Not the package's scripts in /usr/sbin: they log to files and change the user by themselves.
ENV PATH=/usr/lib/rabbitmq/bin:$PATH HOME=/var/lib/rabbitmq RABBITMQ_LOGS=- LC_ALL=C.UTF-8
COPY rabbitmq-entrypoint /usr/local/bin/
VOLUME /var/lib/rabbitmq
EXPOSE 5672 15672
ENTRYPOINT ["rabbitmq-entrypoint"]
