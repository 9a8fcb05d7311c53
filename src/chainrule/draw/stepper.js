(() => {
const make = (parent, tag, properties) => parent.appendChild(Object.assign(document.createElement(tag), properties));

function start(root) {
  root.started = true;
  root.querySelectorAll(".keys, .say").forEach((old) => old.remove());
  const graph = root.querySelector(".graph"), svg = graph.querySelector("svg");
  const rows = [...root.querySelectorAll("tbody tr")];
  const boxes = [...svg.querySelectorAll(".box")], edges = [...svg.querySelectorAll(".edge")];
  const keys = document.createElement("div"), say = document.createElement("div");
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let now = 0, timer = 0;

  keys.className = "keys";
  const [back, play, next] = ["Back", "Play", "Next"].map((name) => make(keys, "button", {type: "button", textContent: name}));
  const slider = make(keys, "input", {type: "range", min: 0, max: rows.length, value: 0, title: "Arrow keys, Home and End; space plays"});
  slider.setAttribute("aria-label", "Step");
  say.className = "say";
  const place = make(say, "small", {}), words = make(say, "div", {});
  words.setAttribute("role", "status");
  words.setAttribute("aria-live", "polite");
  graph.before(keys, say);
  for (const x of [root, back, play, next, slider]) x.setAttribute("data-lm-suppress-shortcuts", "true");
  root.tabIndex = -1;
  root.classList.add("live");
  root.querySelector("details").open = false;

  function show(step) {
    now = Math.max(0, Math.min(rows.length, step));
    for (const x of [...boxes, ...edges]) x.classList.remove("on", "known", "back", "now");
    rows.forEach((row, i) => {
      row.removeAttribute("aria-current");
      if (i >= now) return;
      const box = boxes[row.dataset.v], way = row.className;
      if (way === "forward") box.classList.add("on");
      if (row.dataset.t) {
        box.classList.add("known");
        box.querySelector(".adjoint, .tangent").textContent = row.dataset.t;
      }
      for (const e of (row.dataset.e || "").split(" ").filter(Boolean)) {
        edges[e].classList.add(way === "forward" || edges[e].matches(".cut") ? "on" : "back");
        edges[e].classList.toggle("now", i === now - 1);
      }
      box.classList.toggle("now", i === now - 1);
    });
    const row = rows[now - 1], way = row ? row.className : "";
    if (row) row.setAttribute("aria-current", "step");
    root.style.setProperty("--way", way ? `var(--${way === "backward" ? "cotangent" : "primal"})` : "");
    root.style.setProperty("--glow", way ? `var(--${way === "backward" ? "c" : "p"})` : "");
    place.textContent = `step ${now} of ${rows.length}${way && " · " + way}`;
    words.innerHTML = row ? row.lastElementChild.innerHTML : root.dataset.start;
    slider.value = now;
    slider.setAttribute("aria-valuetext", place.textContent);
    back.disabled = now === 0;
    next.disabled = now === rows.length;
    if (row) reveal(boxes[row.dataset.v]);
  }

  function reveal(box) {
    const a = box.getBoundingClientRect(), b = graph.getBoundingClientRect();
    if (a.left < b.left || a.right > b.right)
      graph.scrollBy({left: (a.left + a.right - b.left - b.right) / 2, behavior: calm.matches ? "auto" : "smooth"});
  }

  function pause() {
    clearTimeout(timer);
    timer = 0;
    play.textContent = "Play";
  }
  function run() {
    if (now === rows.length || !root.isConnected) return pause();
    show(now + 1);
    timer = setTimeout(run, 1200 + 30 * words.textContent.length);
  }
  function toggle() {
    if (timer) return pause();
    play.textContent = "Pause";
    if (now === rows.length) show(0);
    run();
  }
  const go = (step) => { pause(); show(step); };

  back.onclick = () => go(now - 1);
  next.onclick = () => go(now + 1);
  play.onclick = toggle;
  slider.oninput = () => go(+slider.value);
  root.addEventListener("keydown", (event) => {
    const at = event.target, steps = {ArrowLeft: now - 1, ArrowUp: now - 1, ArrowRight: now + 1, ArrowDown: now + 1, Home: 0, End: rows.length};
    if (event.ctrlKey || event.metaKey || event.altKey || at.closest("details, .graph")) return;
    if (event.key in steps) go(steps[event.key]);
    else if (event.key === " " && at.tagName !== "BUTTON") toggle();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  addEventListener("beforeprint", () => {
    go(rows.length);
    root.querySelector("details").open = true;
  });
  new ResizeObserver(() => {
    if (graph.scrollWidth > graph.clientWidth) graph.tabIndex = 0;
    else graph.removeAttribute("tabindex");
  }).observe(graph);
  show(0);
}

// The script comes last: where there is none yet, the page is still being read.
const all = () => document.querySelectorAll(".cr-step").forEach((root) => {
  if (!root.started && root.querySelector("script")) start(root);
});
all();
setTimeout(all, 0);
})();
