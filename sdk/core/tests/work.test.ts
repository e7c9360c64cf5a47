import { describe, expect, it, vi } from "vitest";
import { FakeServer, queued, refusal } from "./server";
import { client, failure, inFakeTime } from "./setting";

inFakeTime();

const CHALLENGE = { parameters: { algorithm: "PBKDF2/SHA-256", cost: 1000, keyPrefix: "00" }, signature: "s" };
const REQUIRED = refusal(400, "PROOF_OF_WORK_REQUIRED");
const INVALID = refusal(400, "PROOF_OF_WORK_INVALID");

describe("a proof of work", () => {
  it("is done where it is asked for, and sent along", async () => {
    const server = new FakeServer()
      .on("POST /queues/q/enter", REQUIRED, queued(3))
      .on("GET /queues/q/challenge", { json: CHALLENGE });
    const solve = vi.fn(() => Promise.resolve("cGF5bG9hZA=="));
    const entered = await client(server, { solve }).queues.enter("q", { metadata: { size: 42 } });
    expect(entered.status).toBe("QUEUED");
    expect(solve).toHaveBeenCalledExactlyOnceWith(CHALLENGE);
    const [unpaid, paid] = server.requests.filter(({ path }) => path === "/queues/q/enter");
    expect([unpaid!.headers["X-Altcha"], paid!.headers["X-Altcha"]]).toEqual([undefined, "cGF5bG9hZA=="]);
    expect(paid!.body).toEqual({ metadata: { size: 42 } });
    expect(paid!.headers["X-Fingerprint"]).toBe(unpaid!.headers["X-Fingerprint"]);
  });

  it("is refused as it is where nothing solves it", async () => {
    const server = new FakeServer().on("POST /draws/d/enter", REQUIRED);
    expect(await failure(client(server).draws.enter("d"))).toMatchObject({ code: "PROOF_OF_WORK_REQUIRED" });
    expect(server.count("GET /draws/d/challenge")).toBe(0);
  });

  it("that does not satisfy is not repeated for ever", async () => {
    const server = new FakeServer()
      .on("POST /auctions/a/bid", REQUIRED, INVALID)
      .on("GET /auctions/a/challenge", { json: CHALLENGE });
    const fanfare = client(server, { solve: () => Promise.resolve("wrong") });
    expect(await failure(fanfare.auctions.bid("a", { amount: "5" }))).toMatchObject({ code: "PROOF_OF_WORK_INVALID" });
    expect(server.count("POST /auctions/a/bid")).toBe(2);
  });

  it("that fails is what entering fails with", async () => {
    const server = new FakeServer()
      .on("POST /queues/q/enter", REQUIRED)
      .on("GET /queues/q/challenge", { json: CHALLENGE });
    const solve = () => Promise.reject(new Error("no workers"));
    expect(await failure(client(server, { solve }).queues.enter("q"))).toMatchObject({ message: "no workers" });
  });
});
