# expect: unpinned-base-image
FROM python:3.13-slim
