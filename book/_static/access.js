// What scrolls sideways can be reached by keyboard: formulas, and whatever the theme leaves out.
addEventListener("load", () => {
  const mark = () => document.querySelectorAll("div.math, mjx-container[display], .text_html").forEach((part) => {
    if (part.scrollWidth > part.clientWidth) part.tabIndex = 0;
    else part.removeAttribute("tabindex");
  });
  new ResizeObserver(mark).observe(document.body);
  window.MathJax?.startup?.promise.then(mark);
});
