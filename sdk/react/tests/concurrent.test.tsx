import { startTransition, StrictMode, useLayoutEffect, useState } from "react";
import { renderToString } from "react-dom/server";
import { act, render } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { FakeServer, queued } from "../../core/tests/server";
import type { Fanfare } from "../src";
import { joined, Line, onAPage, pass, shown, STATUS } from "./setting";

onAPage();

/** News that arrives at this very moment, as another tab's does. */
function told(fanfare: Fanfare): void {
  const { watchers } = fanfare.queues as unknown as { watchers: { publish(key: string, value: unknown): void } };
  watchers.publish("/queues/q", queued(2).json);
}

describe("concurrent rendering", () => {
  it("takes over a server's page without a complaint, and then looks", async () => {
    const server = new FakeServer().on(STATUS, queued(4));
    const complained = vi.spyOn(console, "error");
    await joined(server);
    const container = document.body.appendChild(document.createElement("div"));
    container.innerHTML = renderToString(<StrictMode><Line /><Line /></StrictMode>);
    expect(server.count(STATUS)).toBe(0);
    render(<StrictMode><Line /><Line /></StrictMode>, { container, hydrate: true });
    await pass(1);
    expect(shown()).toEqual(["QUEUED 4", "QUEUED 4"]);
    expect(server.count(STATUS)).toBe(1);
    expect(complained).not.toHaveBeenCalled();
  });

  it("never shows two places at once, though news comes in the middle of a slow transition", async () => {
    vi.spyOn(console, "error").mockReturnValue(undefined); // React warns of news told while rendering
    const server = new FakeServer().on(STATUS, queued(9));
    const fanfare = await joined(server);
    const seen: string[][] = [];
    let isDue = false;
    function Slow({ rows }: { rows: number }) {
      // News between the rendering of two rows, as when React lets the page breathe.
      if (isDue && rows > 1) {
        isDue = false;
        told(fanfare);
      }
      return <Line />;
    }
    let more: () => void;
    function Page() {
      const [rows, setRows] = useState(1);
      more = () => startTransition(() => setRows(6));
      useLayoutEffect(() => void seen.push(shown()));
      return Array.from({ length: rows }, (_, row) => <Slow key={row} rows={rows} />);
    }
    render(<Page />);
    await pass(1);
    isDue = true;
    act(() => more());
    await pass(1);
    expect(isDue).toBe(false);
    expect(shown()).toEqual(Array(6).fill("QUEUED 2"));
    for (const places of seen) expect(new Set(places).size).toBe(1);
  });

  it("lets a transition to another id keep the first one's status until it is shown", async () => {
    const server = new FakeServer().on(STATUS, queued(5)).on("GET /queues/r/status", queued(7));
    await joined(server);
    let go: () => void;
    function Page() {
      const [id, setId] = useState("q");
      go = () => startTransition(() => setId("r"));
      return <Line id={id} />;
    }
    render(<StrictMode><Page /></StrictMode>);
    await pass(1);
    act(() => go());
    await pass(1);
    expect(shown()).toEqual(["QUEUED 7"]);
    await pass(35);
    expect(server.count(STATUS)).toBe(1); // nobody looks at the first one any more
  });
});
