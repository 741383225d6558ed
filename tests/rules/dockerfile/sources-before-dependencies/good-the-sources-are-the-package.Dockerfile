FROM python:3.13
COPY . .
RUN pip install --no-cache-dir . && pip install --no-cache-dir -e .
RUN npm install -g x && npm install some-tool
