/** What a service said: its status and its JSON. */
/** @typedef {{ status: number, body: unknown }} Answer */

/**
 * Asks a service, and never throws: a service that cannot be reached is a bad gateway.
 *
 * @param {string} url
 * @param {{ json?: unknown, milliseconds?: number }} [options]
 * @returns {Promise<Answer>}
 */
export async function ask(url, { json, milliseconds = 10_000 } = {}) {
  try {
    const response = await fetch(url, {
      method: json === undefined ? "GET" : "POST",
      headers: json === undefined ? {} : { "content-type": "application/json" },
      body: json === undefined ? undefined : JSON.stringify(json),
      signal: AbortSignal.timeout(milliseconds),
    });
    return { status: response.status, body: await response.json() };
  } catch (error) {
    console.error(`platform: ${new URL(url).host} does not answer:`, error);
    return { status: 502, body: { detail: `${new URL(url).hostname} does not answer` } };
  }
}
