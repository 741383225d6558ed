FROM node:22 AS base
COPY package.json package-lock.json ./
RUN npm ci
FROM base
COPY . .
RUN npm ci --omit=dev
