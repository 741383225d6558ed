import { createApp } from "./app.js";

const port = Number(process.env.PORT ?? 3000);
const app = createApp({
  crawlerUrl: process.env.CRAWLER_URL ?? "http://crawler:8002",
  ragUrl: process.env.RAG_URL ?? "http://rag:8001",
});

const server = app.listen(port, () => console.log(`platform: listening on port ${port}`));

// As the first process of its container it gets no default handling of signals.
for (const signal of ["SIGTERM", "SIGINT"]) {
  process.once(signal, () => {
    console.log(`platform: ${signal}, closing`);
    server.close(() => process.exit(0));
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), 2000).unref();
  });
}
