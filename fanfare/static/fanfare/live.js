// A live page: fetches what may have changed, puts it in its place, and says so when nothing comes any more.
"use strict";
(() => {
  const COLORS = [["#155dfc", "#60a5fa"], ["#ea580c", "#fb923c"]]; // a line's, in the light and in the dark
  const PATIENCE = 8000; // milliseconds until an answer counts as lost
  const state = document.getElementById("live-state");
  const at = document.getElementById("live-at");
  const problem = document.getElementById("live-problem");
  const address = new URL(location.href);
  address.searchParams.set("part", "1");
  let timer = null;
  let asking = false;
  let failures = 0;

  const isDark = () => document.documentElement.classList.contains("dark");
  const parts = (root) => new Map([...root.querySelectorAll("[data-part]")].map((one) => [one.dataset.part, one]));

  function paint(figure) {
    const holder = figure.querySelector("[data-chart]");
    const canvas = figure.querySelector("canvas");
    if (!holder || !canvas || !window.Chart) return;
    const { times, lines } = JSON.parse(holder.dataset.chart);
    const dark = isDark();
    const ink = dark ? "#9ca3af" : "#6b7280";
    const grid = dark ? "rgba(255,255,255,.08)" : "rgba(0,0,0,.06)";
    const datasets = lines.map(({ name, values }, number) => {
      const color = COLORS[number % COLORS.length][dark ? 1 : 0];
      return { label: name, data: values, borderColor: color, backgroundColor: color, borderWidth: 2, pointRadius: 0,
        pointHitRadius: 8, borderDash: number ? [6, 3] : [] };
    });
    Chart.getChart(canvas)?.destroy();
    new Chart(canvas, {
      type: "line",
      data: { labels: times, datasets },
      options: {
        animation: false, maintainAspectRatio: false, interaction: { mode: "index", intersect: false },
        plugins: { legend: { display: true, align: "end", labels: { color: ink, boxWidth: 24, boxHeight: 0 } } },
        scales: {
          x: { ticks: { color: ink, maxTicksLimit: 7, maxRotation: 0 }, grid: { display: false }, border: { color: grid } },
          y: { beginAtZero: true, ticks: { color: ink, precision: 0, maxTicksLimit: 5 }, grid: { color: grid },
            border: { display: false }, suggestedMax: 5 },
        },
      },
    });
  }

  const paintAll = () => document.querySelectorAll(".live-chart").forEach(paint);

  /** What differs is replaced, but for an opened table's openness and scroll, and never under somebody's hands. */
  function put(fresh) {
    const now = parts(document);
    for (const [name, part] of parts(fresh)) {
      const old = now.get(name);
      if (!old || old.innerHTML === part.innerHTML) continue;
      if (name === "buttons" && old.contains(document.activeElement)) continue;
      const details = old.querySelector("details");
      const scrolled = old.querySelector(".live-minutes")?.scrollTop ?? 0;
      const inside = details?.contains(document.activeElement);
      if (details?.open) part.querySelector("details").open = true;
      old.replaceChildren(...part.childNodes);
      if (scrolled) old.querySelector(".live-minutes").scrollTop = scrolled;
      if (inside) old.querySelector("summary").focus();
      const figure = old.closest(".live-chart");
      if (figure) paint(figure);
    }
  }

  function say(kind, text) {
    state.dataset.state = kind;
    document.body.classList.toggle("is-stale", kind === "lost");
    if (problem.textContent !== text) problem.textContent = text;
  }

  async function look() {
    if (asking || document.hidden) return;
    asking = true;
    clearTimeout(timer);
    let seconds = 2;
    try {
      const answer = await fetch(address, { cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(PATIENCE) });
      if (answer.type === "opaqueredirect" || answer.status === 403) {
        say("lost", "You are signed out, or may not see this any more. Reload the page.");
        return;
      }
      if (!answer.ok) throw new Error(String(answer.status));
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const head = fresh.querySelector('[data-part="now"]');
      if (!head) throw new Error("not the page");
      put(fresh);
      failures = 0;
      seconds = Number(head.dataset.seconds);
      at.textContent = `as of ${head.dataset.at}`;
      say(seconds ? "fresh" : "over", "");
      if (!seconds) at.textContent += "; it is over";
    } catch {
      failures += 1;
      say(failures > 1 ? "lost" : "late", failures > 1 ? "Connection lost: these numbers are old. Trying again …" : "");
      seconds = Math.min(10, 2 * failures);
    } finally {
      asking = false;
    }
    if (seconds) timer = setTimeout(look, seconds * 1000);
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : look()));
  window.addEventListener("online", look);
  new MutationObserver(paintAll).observe(document.documentElement, { attributeFilter: ["class"] });
  paintAll();
  const first = Number(document.querySelector('[data-part="now"]').dataset.seconds);
  if (first) timer = setTimeout(look, first * 1000);
  else say("over", "");
})();
