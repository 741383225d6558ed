/** @param {string} url @param {RequestInit} [options] */
async function call(url, options) {
  const response = await fetch(url, options);
  const body = await response.json();
  if (!response.ok) {
    const detail = Array.isArray(body.detail) ? body.detail.map((one) => one.msg).join("; ") : body.detail;
    throw new Error(detail ?? `the server answered ${response.status}`);
  }
  return body;
}

const byId = (id) => document.getElementById(id);
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Lets a form run one action at a time and says how it goes. */
function onSubmit(form, status, action) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    status.classList.remove("failed");
    try {
      await action(Object.fromEntries(new FormData(form)), (text) => (status.textContent = text));
    } catch (error) {
      status.classList.add("failed");
      status.textContent = `Sorry: ${error.message}.`;
    } finally {
      button.disabled = false;
    }
  });
}

onSubmit(byId("crawl"), byId("crawl-status"), async ({ url, depth, max_pages }, say) => {
  say("Asking the crawler…");
  let crawl = await call("api/crawl", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ url, depth: Number(depth), max_pages: Number(max_pages) }),
  });
  while (crawl.status === "running") {
    await pause(1000);
    crawl = await call(`api/crawl/${crawl.id}`);
    say(`Crawling: ${crawl.pages} read so far…`);
  }
  if (crawl.status === "failed") throw new Error(crawl.detail);
  say(`Done: ${crawl.pages} ${crawl.pages === 1 ? "page" : "pages"} read. They can be found in a moment.`);
});

onSubmit(byId("search"), byId("search-status"), async ({ q }, say) => {
  say("Searching…");
  const { results } = await call(`api/search?${new URLSearchParams({ q })}`);
  byId("results").replaceChildren(...results.map(item));
  say(results.length === 0 ? "Nothing found." : `${results.length} found.`);
});

/** One result; text only ever enters the page as text. */
function item({ url, title, text }) {
  const link = document.createElement("a");
  link.textContent = title || url;
  if (/^https?:/.test(url)) link.href = url;
  const address = document.createElement("small");
  address.textContent = url;
  const excerpt = document.createElement("p");
  excerpt.textContent = text.length > 400 ? `${text.slice(0, 400)}…` : text;
  const entry = document.createElement("li");
  entry.append(link, address, excerpt);
  return entry;
}
