FROM registry.example.org/base:1
HEALTHCHECK CMD curl -f http://localhost/
