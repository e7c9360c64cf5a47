// A box to choose from a long list (select2) is named after what was chosen; it is to be heard by its label first.
"use strict";
(() => {
  function name(box) {
    const select = box.closest(".select2-container")?.previousElementSibling;
    const label = select?.labels?.[0];
    const shown = box.querySelector("[role=textbox]");
    if (!label || !shown) return;
    label.id ||= `${select.id}-label`;
    shown.setAttribute("aria-labelledby", label.id);
    box.setAttribute("aria-labelledby", `${label.id} ${shown.id}`);
  }

  // They come whenever their own script has run, which may be after the page has loaded.
  const unnamed = ".select2-selection [role=textbox]:not([aria-labelledby])";
  const watch = () => document.querySelectorAll(unnamed).forEach((shown) => name(shown.closest(".select2-selection")));
  new MutationObserver(watch).observe(document.documentElement, { childList: true, subtree: true });
})();
