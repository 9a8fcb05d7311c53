// Opened from a folder, a page must not read others: the search shows titles without the lines around a word.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

// What lies far below waits no longer than the first words (see chainrule.css). Its sections are laid out one in a
// frame, so that the reader can move meanwhile; whoever measures the page on load, as the theme does, comes after.
addEventListener("load", (event) => {
  const section = document.querySelector(".bd-article > section > section:not(.there)");
  if (section === null) return;
  event.stopImmediatePropagation();
  section.classList.add("there");
  requestAnimationFrame(() => dispatchEvent(new Event("load")));
});

// Who presses a key, such as End, means the whole page.
addEventListener("keydown", () => { document.documentElement.dataset.whole = ""; }, { capture: true, once: true });

addEventListener("load", () => {
  // What scrolls sideways can be reached by keyboard: formulas, and what a cell shows.
  const mark = () => document.querySelectorAll("div.math, .text_html, .cell_output:has(> img)").forEach((part) => {
    if (part.scrollWidth > part.clientWidth) part.tabIndex = 0;
    else part.removeAttribute("tabindex");
  });
  new ResizeObserver(mark).observe(document.body);
});

// Who closes what lay over the page, a sidebar or the search, is back at the button that opened it.
document.querySelectorAll("dialog").forEach((dialog) => {
  const opener = { "pst-search-dialog": ".search-button" }[dialog.id] ?? `button.${dialog.id.split("-")[1]}-toggle`;
  const buttons = () => [...document.querySelectorAll(opener)].filter((button) => button.checkVisibility());
  dialog.addEventListener("close", () => buttons().forEach((button) => button.focus()));
});

// The theme takes the focus from a button that was pressed; who pressed it by keyboard is still there.
addEventListener("click", ({ detail, target }) => {
  const button = target.closest("button");
  if (button && !detail) setTimeout(() => { if (document.activeElement === document.body) button.focus(); });
}, true);
