FROM python:3.13
RUN pip install --no-cache-dir -r requirements.txt
RUN pip --no-cache-dir install a && python -m pip install a --no-cache-dir
RUN uv pip install --system --no-cache-dir . && uv --no-cache sync && uv sync -n
