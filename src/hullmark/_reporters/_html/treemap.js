// The map of an image: boxes in boxes, as large as what they stand for.
(() => {
  const NAME = 0, BYTES = 1, FILES = 2, FOLDED = 3, INSIDE = 4;
  const HUES = 8, ROWS = 10;
  const number = (value, digits) => value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const size = (bytes) => bytes < 1e3 ? `${bytes} B` : bytes < 1e6 ? `${number(bytes / 1e3, 1)} kB`
    : bytes < 1e10 ? `${number(bytes / 1e6, 1)} MB` : `${number(bytes / 1e9, 1)} GB`;
  const called = (node) => node[FOLDED]
    ? `${number(node[FOLDED], 0)} smaller`
    : node[NAME] || "all";

  // Squarified: boxes are put side by side in strips along the shorter side as long as that makes them squarer.
  const laid = (nodes, x, y, width, height) => {
    const out = [];
    let rest = nodes.filter((node) => node[BYTES] > 0);
    let total = rest.reduce((sum, node) => sum + node[BYTES], 0);
    while (rest.length && width > 0 && height > 0) {
      const side = Math.min(width, height), scale = width * height / total;
      let strip = [], taken = 0, best = Infinity;
      for (const node of rest) {
        const area = taken + node[BYTES] * scale;
        const thick = area / side;
        const worst = Math.max(...[...strip, node].map((each) => {
          const long = each[BYTES] * scale / thick;
          return Math.max(long / thick, thick / long);
        }));
        if (worst > best) break;
        best = worst;
        taken = area;
        strip.push(node);
      }
      const thick = taken / side;
      let at = 0;
      for (const node of strip) {
        const long = node[BYTES] * scale / thick;
        out.push(width >= height ? [node, x, y + at, thick, long] : [node, x + at, y, long, thick]);
        at += long;
      }
      if (width >= height) { x += thick; width -= thick; } else { y += thick; height -= thick; }
      total -= strip.reduce((sum, node) => sum + node[BYTES], 0);
      rest = rest.slice(strip.length);
    }
    return out;
  };

  const element = (tag, name, text) => {
    const made = document.createElement(tag);
    if (name) made.className = name;
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const placed = (box, x, y, width, height) => {
    Object.assign(box.style, { left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` });
  };

  for (const map of document.querySelectorAll(".map")) {
    const trees = JSON.parse(map.querySelector("script").textContent);
    const boxes = map.querySelector(".boxes"), trail = map.querySelector(".trail"), body = map.querySelector("tbody");
    let way = [trees.owner], hues = [null];
    const here = () => way[way.length - 1];
    const into = (node, hue) => { way.push(node); hues.push(hue); draw(0); };
    const out = (depth) => {
      const left = way[depth];
      way = way.slice(0, depth);
      hues = hues.slice(0, depth);
      draw(Math.max(here()[INSIDE].indexOf(left), 0));
    };
    const draw = (focus) => {
      const top = here(), width = boxes.clientWidth, height = boxes.clientHeight;
      boxes.replaceChildren();
      laid(top[INSIDE], 0, 0, width, height).forEach(([node, x, y, w, h], at) => {
        const hue = hues[hues.length - 1] ?? (at % HUES);
        const opens = node[INSIDE].length > 0;
        const box = element(opens ? "button" : "div", `box hue-${node[FOLDED] ? "rest" : hue}`);
        if (opens) box.type = "button"; else box.setAttribute("role", "img");
        box.tabIndex = at === 0 ? 0 : -1;
        box.node = node;
        box.setAttribute("aria-label", `${called(node)}, ${size(node[BYTES])}, ${number(node[FILES], 0)} file${node[FILES] === 1 ? "" : "s"}`);
        box.title = box.getAttribute("aria-label");
        placed(box, x + 1, y + 1, Math.max(w - 2, 1), Math.max(h - 2, 1));
        const wide = w > 44 && h > 20;
        if (wide) {
          const label = element("span", "label");
          label.append(element("bdi", "", called(node)), element("span", "bytes", size(node[BYTES])));
          box.append(label);
        }
        const head = wide ? 24 : 3;
        if (opens && w > 30 && h > head + 16) {
          for (const [, ix, iy, iw, ih] of laid(node[INSIDE], 3, head, w - 8, h - head - 5)) {
            if (iw < 3 || ih < 3) continue;
            const inner = element("span", "inner");
            placed(inner, ix, iy, iw - 1, ih - 1);
            box.append(inner);
          }
          const named = [...box.querySelectorAll(".inner")];
          laid(node[INSIDE], 3, head, w - 8, h - head - 5).filter(([, , , iw, ih]) => iw >= 3 && ih >= 3)
            .forEach(([child, , , iw, ih], i) => { if (iw > 56 && ih > 18) named[i].append(element("bdi", "", called(child))); });
        }
        if (opens) box.addEventListener("click", () => into(node, hue));
        boxes.append(box);
      });
      trail.replaceChildren(...way.map((node, depth) => {
        const text = depth ? called(node) : "all";
        if (depth === way.length - 1) {
          const last = element("span", "", `${text} `);
          last.setAttribute("aria-current", "true");
          last.append(element("span", "quiet", `${size(node[BYTES])}, ${number(node[FILES], 0)} files`));
          return last;
        }
        const step = element("button", "", text);
        step.type = "button";
        step.addEventListener("click", () => { out(depth + 1); focused(); });
        return step;
      }));
      const rows = top[INSIDE].slice(0, ROWS).map((node) => {
        const row = element("tr"), name = element("th");
        name.scope = "row";
        name.append(element("code", "", called(node)));
        row.append(name, element("td", "n", size(node[BYTES])),
          element("td", "n", `${number(100 * node[BYTES] / (top[BYTES] || 1), 1)} %`), element("td", "n", number(node[FILES], 0)));
        return row;
      });
      const more = top[INSIDE].slice(ROWS);
      if (more.length) {
        const sum = more.reduce((all, node) => [all[0] + node[BYTES], all[1] + node[FILES]], [0, 0]);
        const row = element("tr", "quiet"), name = element("th", "", `${more.length} more`);
        name.scope = "row";
        row.append(name, element("td", "n", size(sum[0])),
          element("td", "n", `${number(100 * sum[0] / (top[BYTES] || 1), 1)} %`), element("td", "n", number(sum[1], 0)));
        rows.push(row);
      }
      body.replaceChildren(...rows);
      reach(focus, false);
    };
    const reach = (at, move) => {
      const all = [...boxes.children];
      if (!all.length) return;
      const target = all[Math.min(Math.max(at, 0), all.length - 1)];
      for (const box of all) box.tabIndex = box === target ? 0 : -1;
      if (move) target.focus();
    };
    const focused = () => boxes.querySelector("[tabindex='0']")?.focus();
    boxes.addEventListener("keydown", (event) => {
      const at = [...boxes.children].indexOf(document.activeElement);
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (step && at >= 0) reach(at + step, true);
      else if (event.key === "Home") reach(0, true);
      else if (event.key === "End") reach(boxes.children.length - 1, true);
      else if ((event.key === "Escape" || event.key === "Backspace") && way.length > 1) { out(way.length - 1); focused(); }
      else if (event.key === "Enter" && boxes.children[at]?.node[INSIDE].length) {
        const box = boxes.children[at];
        box.click();
        focused();
      } else return;
      event.preventDefault();
    });
    map.querySelector(".map-head").addEventListener("change", (event) => {
      way = [trees[event.target.value]];
      hues = [null];
      draw(0);
    });
    map.hidden = false;
    draw(0);
    let wide = boxes.clientWidth;
    new ResizeObserver(() => { if (boxes.clientWidth !== wide) { wide = boxes.clientWidth; draw(0); } }).observe(boxes);
  }
})();
