# syntax=docker/dockerfile:1
# Written for this test after the shape that such projects have; nothing of it was taken from any of them.
FROM debian:bookworm-slim AS web
ARG PORT=8080
RUN <<PREPARE /bin/sh -e
apt-get update
apt-get install -y --no-install-recommends nginx-light gettext-base
rm -rf /var/lib/apt/lists/*
ln -sf /dev/stdout /var/log/nginx/access.log
PREPARE
COPY <<-"ENTRY" /docker-entrypoint.sh
	#!/bin/sh
	set -e
	for f in /docker-entrypoint.d/*.sh; do
	    # RUN and COPY in here are nothing but text
	    [ -x "$f" ] && "$f"
	done
	exec "$@"
	ENTRY
COPY --chmod=755 <<ONE <<TWO /docker-entrypoint.d/
#!/bin/sh
export PORT=${PORT}
ONE
#!/bin/sh
envsubst < /etc/nginx/site.template > /etc/nginx/conf.d/site.conf
TWO
COPY <<"EOT" /etc/nginx/site.template
server { listen ${PORT}; location / { try_files $uri =404; } }
EOT
RUN chmod +x /docker-entrypoint.sh
EXPOSE ${PORT}
STOPSIGNAL SIGQUIT
ENTRYPOINT ["/docker-entrypoint.sh"]
CMD ["nginx", "-g", "daemon off;"]
