FROM debian:12
ADD https://example.com/keys/repository.key /usr/share/keyrings/
COPY keyrings/nodesource.key public.key service-account-types.json /x/
