"use strict";
// Light, dark, or what the system says.
(() => {
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const themes = ["automatic", "light", "dark"];
  const remembered = () => { try { return localStorage.getItem("hullmark-theme"); } catch { return null; } };
  const choose = (theme) => {
    if (theme === "automatic") delete root.dataset.theme; else root.dataset.theme = theme;
    button.textContent = `Theme: ${theme}`;
    try { localStorage.setItem("hullmark-theme", theme); } catch { /* a file may have no storage */ }
  };
  choose(themes.includes(remembered()) ? remembered() : "automatic");
  button.hidden = false;
  button.addEventListener("click", () => {
    choose(themes[(themes.indexOf(root.dataset.theme || "automatic") + 1) % themes.length]);
  });
  // What is folded away on a screen is on paper all the same.
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((each) => { each.open = true; }));
  const reveal = () => {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && target.tagName === "DETAILS") target.open = true;
  };
  addEventListener("hashchange", reveal);
  reveal();
})();
