// Filters and search; what is chosen is said to those who cannot see it.
(() => {
  const form = document.getElementById("filters");
  if (!form) return;
  const items = [...document.querySelectorAll(".finding")];
  const texts = items.map((item) => item.textContent.toLowerCase());
  const count = document.getElementById("count");
  const nothing = document.getElementById("nothing");
  const search = document.getElementById("search");
  const said = (number) => `${number.toLocaleString("en")} finding${number === 1 ? "" : "s"}`;
  const apply = () => {
    const severities = new Set([...form.querySelectorAll("[name=severity]:checked")].map((each) => each.value));
    const service = form.elements.service.value;
    const check = form.elements.check.value;
    const standing = form.elements.standing ? form.elements.standing.value : "";
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    items.forEach((item, at) => {
      const fits = severities.has(item.dataset.severity)
        && (!service || item.dataset.service === service)
        && (!standing || item.dataset.standing === standing)
        && (!check || item.dataset.check === check)
        && words.every((word) => texts[at].includes(word));
      item.hidden = !fits;
      shown += fits;
    });
    count.textContent = shown === items.length ? said(shown) : `${shown.toLocaleString("en")} of ${said(items.length)}`;
    nothing.hidden = shown > 0;
  };
  form.hidden = false;
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("all").addEventListener("click", () => { form.reset(); apply(); search.focus(); });
  addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.ctrlKey && !event.metaKey && !/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) {
      event.preventDefault();
      search.focus();
    }
  });
  apply();
})();
