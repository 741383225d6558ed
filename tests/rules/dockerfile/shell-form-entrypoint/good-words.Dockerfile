FROM python:3.13-slim
ENTRYPOINT ["python", "app.py"]
CMD ["--help"]
