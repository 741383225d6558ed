FROM debian:12
# expect: unread-commands
RUN echo one && ( echo two
RUN echo three
