# volumes: /data
FROM redis:8
USER redis
