// Fetches the same page every few seconds and puts its live part in place of the old one. Off while
// the tab is hidden, a field has the focus or text is selected. Everything works without it.
"use strict";

(() => {
  const live = document.getElementById("dlq-live");
  const form = document.querySelector(".dlq-refresh");
  if (!live || !form) return;
  const every = document.getElementById("dlq-every");
  const said = document.getElementById("dlq-refreshed");
  const remembered = window.localStorage.getItem("dlq-every");
  if (remembered !== null && [...every.options].some((o) => o.value === remembered)) {
    every.value = remembered;
  }
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  every.addEventListener("change", () => {
    window.localStorage.setItem("dlq-every", every.value);
    schedule();
  });

  let timer = 0;

  function schedule() {
    window.clearTimeout(timer);
    if (Number(every.value)) timer = window.setTimeout(refresh, Number(every.value) * 1000);
  }

  function isInUse() {
    const focused = document.activeElement;
    const inField = focused && focused.matches("input, textarea, select") && focused !== every;
    return document.hidden || inField || String(window.getSelection()) !== "";
  }

  function path(element) {
    // Where an element is in the live part, so that the focus finds its twin after the refresh.
    const steps = [];
    for (let at = element; at && at !== live; at = at.parentElement) {
      if (!at.parentElement) return null;
      steps.unshift([...at.parentElement.children].indexOf(at));
    }
    return steps;
  }

  async function refresh() {
    if (!isInUse()) {
      try {
        const answer = await fetch(window.location.href, { credentials: "same-origin" });
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.getElementById("dlq-live");
        if (fresh) {
          const focused = live.contains(document.activeElement) ? path(document.activeElement) : null;
          live.replaceChildren(...fresh.childNodes);
          said.textContent = `as of ${fresh.dataset.refreshed}`;
          let at = focused && live;
          for (const step of focused || []) at = at && at.children[step];
          if (at && at.focus) at.focus({ preventScroll: true });
        }
      } catch {
        said.textContent = "the site does not answer";
      }
    }
    schedule();
  }

  schedule();
})();
