FROM python:3.13-slim
CMD python migrate.py && exec python app.py --port $PORT
