import { fileURLToPath } from "node:url";
import express from "express";
import { ask } from "./upstream.js";

/** @typedef {import("./upstream.js").Answer} Answer */

const PUBLIC = fileURLToPath(new URL("../public", import.meta.url));

/**
 * The page and its API.
 *
 * @param {{ crawlerUrl: string, ragUrl: string }} services
 */
export function createApp({ crawlerUrl, ragUrl }) {
  const app = express();
  app.disable("x-powered-by");

  app.use((_request, response, next) => {
    response.set({
      "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
      "Referrer-Policy": "no-referrer",
      "X-Content-Type-Options": "nosniff",
    });
    next();
  });

  app.post("/api/crawl", express.json({ limit: "10kb" }), async (request, response) => {
    send(response, await ask(`${crawlerUrl}/crawl`, { json: request.body ?? {} }));
  });

  app.get("/api/crawl/:id", async (request, response) => {
    send(response, await ask(`${crawlerUrl}/crawl/${encodeURIComponent(request.params.id)}`));
  });

  app.get("/api/search", async (request, response) => {
    const query = new URLSearchParams({ q: String(request.query.q ?? "") });
    send(response, await ask(`${ragUrl}/search?${query}`));
  });

  app.get("/api/health", async (_request, response) => {
    const [crawler, rag] = await Promise.all(
      [crawlerUrl, ragUrl].map(async (url) => (await ask(`${url}/health`, { milliseconds: 3000 })).status === 200),
    );
    const word = (/** @type {boolean | undefined} */ healthy) => (healthy ? "ok" : "unavailable");
    response
      .status(crawler && rag ? 200 : 503)
      .json({ status: word(crawler && rag), services: { crawler: word(crawler), rag: word(rag) } });
  });

  app.use("/api", (_request, response) => {
    response.status(404).json({ detail: "no such place" });
  });

  app.use(express.static(PUBLIC));

  app.use(failed);

  return app;
}

/**
 * @param {express.Response} response
 * @param {Answer} answer
 */
function send(response, { status, body }) {
  response.status(status).json(body);
}

/**
 * Tells of an error without telling too much.
 *
 * @param {Error & { status?: number }} error
 * @param {express.Request} _request
 * @param {express.Response} response
 * @param {express.NextFunction} next
 */
function failed(error, _request, response, next) {
  if (response.headersSent) {
    next(error);
    return;
  }
  const status = error.status ?? 500;
  if (status >= 500) console.error("platform:", error);
  response.status(status).json({ detail: status >= 500 ? "something went wrong" : error.message });
}
