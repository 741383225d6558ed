FROM debian:12 AS base
HEALTHCHECK --timeout=1s CMD true
FROM base
# expect: healthcheck-without-timeout
HEALTHCHECK --start-period=1s CMD curl --timeout=3 http://localhost
