// Runs the server, and runs it anew when its code changes.
//
// `node --watch` follows files and loses a file whose name an editor gives to a new one, as most do. This follows the
// directory.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { watch } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const SOURCE = fileURLToPath(new URL("../src/", import.meta.url));

let changed = false;
let ending = false;
let wake = () => {};

const watcher = watch(SOURCE, () => {
  changed = true;
  wake();
});

for (const signal of ["SIGTERM", "SIGINT"]) {
  process.on(signal, () => {
    ending = true;
    wake();
  });
}

while (!ending) {
  const server = spawn(process.execPath, [`${SOURCE}server.js`], { stdio: "inherit" });
  const ended = once(server, "exit");
  ended.then(([code]) => code && console.error("platform: the server has failed; waiting for an edit"));
  while (!changed && !ending) await new Promise((resolve) => (wake = () => resolve(undefined)));
  await pause(100); // an edit is often several changes
  changed = false;
  if (!ending) console.log("platform: the code has changed");
  server.kill();
  await ended;
}
watcher.close(); // or it would keep the process alive
