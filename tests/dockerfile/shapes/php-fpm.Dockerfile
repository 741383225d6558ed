# Written for this test after the shape that such projects have; nothing of it was taken from any of them.
FROM debian:bookworm-slim
ENV PHPIZE_DEPS \
		autoconf \
		dpkg-dev \
		file \
		g++ \
		pkg-config
ENV PHP_INI_DIR /usr/local/etc/php
ENV PHP_CFLAGS="-fstack-protector-strong -fpic -fpie -O2 -D_LARGEFILE_SOURCE"
ENV PHP_CPPFLAGS="$PHP_CFLAGS"
ENV PHP_LDFLAGS="-Wl,-O1 -pie"
ENV PHP_URL="https://example.org/php-8.3.tar.xz" PHP_ASC_URL="https://example.org/php-8.3.tar.xz.asc"
RUN set -eux; \
	{ \
		echo 'Package: php*'; \
		echo 'Pin: release *'; \
		echo 'Pin-Priority: -1'; \
	} > /etc/apt/preferences.d/no-debian-php
RUN set -eux; \
	savedAptMark="$(apt-mark showmanual)"; \
	apt-get update; \
	apt-get install -y --no-install-recommends \
		$PHPIZE_DEPS \
		libsodium-dev \
		${PHP_EXTRA_BUILD_DEPS:-} \
	; \
	export \
		CFLAGS="$PHP_CFLAGS" \
		LDFLAGS="$PHP_LDFLAGS" \
# https://example.org/an-explanation
		PHP_BUILD_PROVIDER='https://example.org' \
	; \
	if [ ! -d /usr/include/curl ]; then \
		ln -sT "/usr/include/$(dpkg-architecture --query DEB_BUILD_MULTIARCH)/curl" /usr/local/include/curl; \
	fi; \
	./configure --with-config-file-path="$PHP_INI_DIR" --enable-fpm --with-fpm-user=www-data; \
	make -j "$(nproc)"; \
	find -type f -name '*.a' -delete; \
	[ -z "$savedAptMark" ] || apt-mark manual $savedAptMark; \
	find /usr/local -type f -executable -exec ldd '{}' ';' \
		| awk '/=>/ { so = $(NF-1); if (index(so, "/usr/local/") == 1) { next }; gsub("^/(usr/)?", "", so); print so }' \
		| sort -u | xargs -r dpkg-query --search | cut -d: -f1 | sort -u | xargs -r apt-mark manual \
	; \
	apt-get purge -y --auto-remove; rm -rf /var/lib/apt/lists/*
WORKDIR /var/www/html
RUN set -eux; \
	cd /usr/local/etc; \
	{ \
		echo '[global]'; \
		echo; \
		echo '[www]'; \
		echo 'listen = 9000'; \
	} | tee php-fpm.d/docker.conf
STOPSIGNAL SIGQUIT
EXPOSE 9000
CMD ["php-fpm"]
