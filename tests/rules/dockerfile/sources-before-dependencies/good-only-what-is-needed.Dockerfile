FROM node:22
COPY prisma/ prisma/
COPY requirements/ requirements/
COPY package.json ./
RUN npm ci && pip install -r requirements/prod.txt
COPY src/ src/
