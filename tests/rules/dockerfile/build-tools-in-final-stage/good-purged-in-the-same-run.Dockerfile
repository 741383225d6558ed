FROM debian:12 AS base
FROM base
RUN apt-get install -y gcc libc6-dev && make && apt-get purge -y --auto-remove gcc libc6-dev
RUN apt-get install -y gcc-12 libx-dev && apt-get remove -y 'gcc*' '*-dev'
RUN buildDeps='x' && apt-get install -y gcc && apt-get purge -y $buildDeps
RUN apt-get install -y gcc && apt-mark auto '.*' > /dev/null && apt-get purge -y --auto-remove -o A=b
