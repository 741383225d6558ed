# Written for this test after the shape that such projects have; nothing of it was taken from any of them.
FROM debian:bookworm-slim

# explicitly set user and group, so that they stay the same whatever else is installed
RUN set -eux; \
	groupadd -r keeper --gid=999; \
# a comment that begins in the first column, in the middle of a chain
	useradd -r -g keeper --uid=999 --home-dir=/var/lib/keeper --shell=/bin/bash keeper; \
	install --verbose --directory --owner keeper --group keeper --mode 1777 /var/lib/keeper

ENV STEP_VERSION 1.17
RUN set -eux; \
	savedAptMark="$(apt-mark showmanual)"; \
	apt-get update; \
	apt-get install -y --no-install-recommends ca-certificates wget; \
	rm -rf /var/lib/apt/lists/*; \
	dpkgArch="$(dpkg --print-architecture | awk -F- '{ print $NF }')"; \
	wget -O /usr/local/bin/stepdown "https://example.org/stepdown/$STEP_VERSION/stepdown-$dpkgArch"; \
	wget -O /usr/local/bin/stepdown.asc "https://example.org/stepdown/$STEP_VERSION/stepdown-$dpkgArch.asc"; \
	export GNUPGHOME="$(mktemp -d)"; \
	gpg --batch --keyserver hkps://keys.example.org --recv-keys 0123456789ABCDEF0123456789ABCDEF01234567; \
	gpg --batch --verify /usr/local/bin/stepdown.asc /usr/local/bin/stepdown; \
	gpgconf --kill all; \
	rm -rf "$GNUPGHOME" /usr/local/bin/stepdown.asc; \
	apt-mark auto '.*' > /dev/null; \
	[ -z "$savedAptMark" ] || apt-mark manual $savedAptMark > /dev/null; \
	apt-get purge -y --auto-remove -o APT::AutoRemove::RecommendsImportant=false; \
	chmod +x /usr/local/bin/stepdown; \
	stepdown --version

ENV KEEPER_MAJOR 17
ENV KEEPER_VERSION 17.2-1.pgdg12+1
ENV PATH $PATH:/usr/lib/keeper/$KEEPER_MAJOR/bin
ENV LANG en_US.utf8

RUN set -ex; \
	\
	case "$(dpkg --print-architecture)" in \
		amd64 | arm64) \
			echo "deb [ signed-by=/etc/keeper.gpg ] https://example.org/apt bookworm main $KEEPER_MAJOR" > /etc/apt/sources.list.d/keeper.list; \
			apt-get update; \
			;; \
		*) \
			tempDir="$(mktemp -d)"; \
			nproc="$(nproc)"; \
			( cd "$tempDir" && DEB_BUILD_OPTIONS="nocheck parallel=$nproc" apt-get source --compile "keeper-$KEEPER_MAJOR=$KEEPER_VERSION" ); \
			_update_repo() { ( cd "$tempDir" && dpkg-scanpackages . > Packages ); }; \
			_update_repo; \
			;; \
	esac; \
	apt-get install -y --no-install-recommends "keeper-$KEEPER_MAJOR=$KEEPER_VERSION"; \
	rm -rf /var/lib/apt/lists/*; \
	find /usr -name '*.pyc' -type f -exec bash -c 'for pyc; do dpkg -S "$pyc" &> /dev/null || rm -vf "$pyc"; done' -- '{}' +

ENV KEEPER_DATA /var/lib/keeper/data
RUN mkdir -p "$KEEPER_DATA" && chown -R keeper:keeper "$KEEPER_DATA" && chmod 1777 "$KEEPER_DATA"
VOLUME /var/lib/keeper/data
COPY entrypoint.sh init.sh /usr/local/bin/
ENTRYPOINT ["entrypoint.sh"]
STOPSIGNAL SIGINT
EXPOSE 5432
CMD ["keeper"]
