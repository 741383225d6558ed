FROM debian:12
COPY big.tar.gz requirements.txt /tmp/
# expect: masked-deletion @4:38
RUN tar -xzf /tmp/big.tar.gz -C / && rm /tmp/big.tar.gz
# expect: masked-deletion
RUN pip install --no-cache-dir -r /tmp/requirements.txt && rm -rf /tmp/*
