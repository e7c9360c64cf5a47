import { StrictMode, useEffect, version } from "react";
import { renderToString } from "react-dom/server";
import { act, fireEvent, render, screen } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { ADMITTED, away, FakeServer, HTML, queued, refusal } from "../../core/tests/server";
import { FanfareProvider, useAppointment, useAuction, useConsumer, useExperience, useFanfare, useQueue } from "../src";
import { client, ENTER, join, joined, Line, onAPage, pass, shown, STATUS } from "./setting";

onAPage();

it("is the React that was meant", ({ task }) => {
  expect(version.startsWith(task.file.projectName === "react 18" ? "18." : "19.")).toBe(true);
});

describe("a queue", () => {
  it("is entered by a button's event, which is not taken for options, and followed until admitted", async () => {
    const server = new FakeServer().on(STATUS, queued(2), ADMITTED).on(ENTER, queued(3));
    client(server);
    render(<StrictMode><Line /></StrictMode>);
    expect(join().disabled).toBe(true);
    await pass(1);
    expect(server.asked).toEqual([]); // nobody is made a guest by looking
    fireEvent.click(join());
    expect(join().disabled).toBe(true);
    await pass(1);
    expect(shown()).toEqual(["QUEUED 3"]);
    expect(join().disabled).toBe(false);
    expect(server.requests.find(({ method, path }) => `${method} ${path}` === ENTER)?.body).toEqual({});
    await pass(25);
    expect(shown()).toEqual(["ADMITTED 0"]);
    expect(server.count(STATUS)).toBe(2);
  });

  it("is asked about once for two components in strict mode, and both say the same", async () => {
    const server = new FakeServer().on(STATUS, queued(5, 10));
    await joined(server);
    render(<StrictMode><Line /><Line /></StrictMode>);
    await pass(1);
    expect(shown()).toEqual(["QUEUED 5", "QUEUED 5"]);
    await pass(30);
    expect(server.count(STATUS)).toBe(4);
  });

  it("is not asked about before mounting, nor after", async () => {
    const server = new FakeServer().on(STATUS, queued(5, 10));
    await joined(server);
    const { unmount } = render(<Line />);
    await pass(1);
    unmount();
    await pass(600);
    expect(server.count(STATUS)).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("of another id is another one, with none of the first one's troubles", async () => {
    const server = new FakeServer().on(STATUS, queued(5)).on("GET /queues/r/status", queued(7));
    server.on(ENTER, refusal(423, "QUEUE_NOT_OPEN"));
    await joined(server);
    const { rerender } = render(<Line />);
    await pass(1);
    fireEvent.click(join());
    await pass(1);
    expect(screen.getByText("QUEUE_NOT_OPEN")).toBeTruthy();
    rerender(<Line id="r" />);
    await pass(1);
    expect(shown()).toEqual(["QUEUED 7"]);
    expect(screen.getByText("fine")).toBeTruthy();
    await pass(60);
    expect(server.count(STATUS)).toBe(1);
  });
});

describe("what goes wrong", () => {
  it("in one component's action, the others say as well; who comes later has not seen it", async () => {
    const server = new FakeServer().on(ENTER, refusal(423, "QUEUE_NOT_OPEN"));
    server.on(STATUS, refusal(404, "CONSUMER_NOT_IN_QUEUE"));
    client(server);
    function Both() {
      return <StrictMode><Line /><Line /></StrictMode>;
    }
    const { rerender } = render(<Both />);
    await pass(1);
    fireEvent.click(screen.getAllByText("Join")[0]!);
    for (const button of screen.getAllByText<HTMLButtonElement>("Join")) expect(button.disabled).toBe(true);
    await pass(1);
    expect(screen.getAllByText("QUEUE_NOT_OPEN")).toHaveLength(2);
    rerender(<></>);
    rerender(<Both />);
    await pass(1);
    expect(screen.getAllByText("fine")).toHaveLength(2);
    expect(server.count(ENTER)).toBe(1);
  });

  it("in an action is said until the next one, and rejects nowhere", async () => {
    const server = new FakeServer().on(ENTER, refusal(423, "QUEUE_NOT_OPEN"), queued(1)).on(STATUS, queued(1));
    client(server);
    render(<Line />);
    await pass(1);
    fireEvent.click(join());
    await pass(1);
    expect(screen.getByText("QUEUE_NOT_OPEN")).toBeTruthy();
    fireEvent.click(join());
    await pass(1);
    expect(screen.getByText("fine")).toBeTruthy();
  });

  it.each([
    ["NetworkError", away],
    ["INVALID_RESPONSE", HTML],
  ])("while looking is said: %s, and there is no burst", async (name, rule) => {
    const server = new FakeServer().on(STATUS, rule);
    await joined(server);
    render(<Line />);
    await pass(1);
    expect(screen.getByText(name)).toBeTruthy();
    expect(join().disabled).toBe(false);
    await pass(300);
    expect(server.count(STATUS)).toBeLessThan(12);
  });

  it("after unmounting is nobody's", async () => {
    const server = new FakeServer().on(ENTER, refusal(423, "QUEUE_NOT_OPEN"));
    const said = vi.spyOn(console, "error");
    client(server);
    const { unmount } = render(<Line />);
    await pass(1);
    fireEvent.click(join());
    unmount();
    await pass(60);
    expect(said).not.toHaveBeenCalled();
    expect(server.count(ENTER)).toBe(1);
  });
});

it("keeps the actions' identity over renderings", async () => {
  const server = new FakeServer().on(STATUS, queued(3), queued(2), queued(1));
  await joined(server);
  const changes = vi.fn();
  function Watching() {
    const { enter, leave, status } = useQueue("q");
    useEffect(() => void changes(), [enter, leave]);
    return <output>{status?.position}</output>;
  }
  render(<Watching />);
  await pass(25);
  expect(shown()).toEqual(["1"]);
  expect(changes).toHaveBeenCalledTimes(1);
});

it("renders on a server: nothing known, nothing asked", async () => {
  const server = new FakeServer();
  client(server);
  expect(renderToString(<Line />)).toContain("none");
  await pass(60);
  expect(server.asked).toEqual([]);
});

it("uses the provider's client before the one made last", async () => {
  const [first, last] = [new FakeServer().on(STATUS, queued(1)), new FakeServer().on(STATUS, queued(2))];
  const fanfare = await joined(first);
  client(last);
  let used: unknown;
  function Which() {
    used = useFanfare();
    return <Line />;
  }
  render(<FanfareProvider client={fanfare}><Which /></FanfareProvider>);
  await pass(1);
  expect(used).toBe(fanfare);
  expect(shown()).toEqual(["QUEUED 1"]);
  expect(last.asked).toEqual([]);
});

it("shows an auction's price to those who have not bid, and takes a bid", async () => {
  const server = new FakeServer().on("GET /auctions/a", { json: { id: "a", currentHighBid: "100.00" } });
  server.on("POST /auctions/a/bid", { json: { status: "QUEUED", bidStatus: "WINNING" } });
  client(server);
  let hook: ReturnType<typeof useAuction>;
  function Lot() {
    hook = useAuction("a");
    return null;
  }
  render(<Lot />);
  await pass(1);
  expect(hook!.auction).toMatchObject({ id: "a" });
  expect(hook!.status).toBeNull();
  await act(async () => {
    const bid = hook.bid({ amount: "110.00" });
    await vi.advanceTimersByTimeAsync(500);
    expect(await bid).toMatchObject({ bidStatus: "WINNING" });
  });
  expect(hook!.status).toMatchObject({ bidStatus: "WINNING" });
});

it("cancels a booking by a button's event, of which the server is told nothing", async () => {
  const server = new FakeServer().on("DELETE /appointments/a/cancel", { json: { cancelled: true } });
  await joined(server);
  function Fitting() {
    return <button onClick={useAppointment("a").cancel}>Cancel</button>;
  }
  render(<Fitting />);
  await pass(1);
  fireEvent.click(screen.getByText("Cancel"));
  await pass(1);
  expect(server.requests.find(({ method }) => method === "DELETE")?.query).toBe("");
});

it("loads an experience once, enters it, and says where that leads", async () => {
  const server = new FakeServer().on("GET /experiences/e", { json: { id: "e", name: "Drop" } });
  server.on("POST /experiences/e/enter", { json: { sequenceId: "s" } });
  client(server);
  function Drop() {
    const { experience, visit, enter } = useExperience("e");
    return <button onClick={enter}>{experience?.name} {visit?.sequenceId}</button>;
  }
  render(<StrictMode><Drop /><Drop /></StrictMode>);
  await pass(1);
  const [button] = screen.getAllByText("Drop");
  fireEvent.click(button!);
  await pass(60);
  expect(button!.textContent).toBe("Drop s");
  expect(server.count("GET /experiences/e")).toBe(1);
});

it("tells who the consumer is: nobody, then a guest as soon as there is one, then nobody", async () => {
  const server = new FakeServer().on("GET /consumers/me", { json: { id: "cons_1" } });
  server.on("POST /auth/logout", { status: 204 });
  const fanfare = client(server);
  function Who() {
    const { consumer, session, logout, isLoading } = useConsumer();
    return <button onClick={logout}>{isLoading ? "…" : `${consumer?.id ?? "nobody"} ${session?.type ?? ""}`}</button>;
  }
  render(<StrictMode><Who /></StrictMode>);
  await pass(1);
  expect(server.asked).toEqual([]);
  const button = screen.getByText("nobody");
  void fanfare.auth.guest();
  await pass(1);
  expect(button.textContent).toBe("cons_1 guest");
  expect(server.count("GET /consumers/me")).toBe(1);
  fireEvent.click(button);
  await pass(1);
  expect(button.textContent.trim()).toBe("nobody");
});
