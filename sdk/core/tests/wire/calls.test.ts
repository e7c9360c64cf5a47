/** Every public call, as a page makes it, against a real server. */

import { describe, expect, it } from "vitest";
import {
  FanfareError,
  NetworkError,
  type AppointmentStatus,
  type Auction,
  type DrawStatus,
  type QueueStatus,
  type WaitlistStatus,
  type WatchListener,
} from "../../src";
import { browser, codeFor, ids, refused, shop, until } from "./stack";

const { line, slow, later } = ids.queues;

describe("queues", () => {
  it("take a shopper from the door to the order", async () => {
    const fanfare = browser();
    const watch = (listener: WatchListener<QueueStatus>) => fanfare.queues.watch(line, listener);
    expect(await until(watch, () => true)).toBeNull();
    expect(fanfare.auth.session()).toBeNull();
    const admitted = until(watch, (status) => status?.status === "ADMITTED");
    expect((await fanfare.queues.enter(line, { metadata: { size: 42 } })).queueId).toBe(line);
    const status = await admitted;
    const body = { consumerId: status?.consumerId, token: status?.admissionToken };
    const verdict = await shop(`/queues/${line}/validate`, body, await fanfare.fingerprint());
    expect(verdict).toMatchObject({ valid: true });
    await shop(`/queues/${line}/complete`, { consumerId: status?.consumerId, orderId: "A-1" });
    expect(await fanfare.queues.status(line)).toMatchObject({ status: "COMPLETED" });
  });

  it("let one leave, and watchers hear it", async () => {
    const fanfare = browser();
    await fanfare.queues.enter(slow);
    const watch = (listener: WatchListener<QueueStatus>) => fanfare.queues.watch(slow, listener);
    const left = until(watch, (status) => status?.status === "LEFT");
    await fanfare.queues.leave(slow);
    expect((await left)?.queueId).toBe(slow);
  });

  it("say when they open", async () => {
    expect(await browser().queues.get(later)).toMatchObject({ id: later, status: "PENDING" });
    const error = (await refused(browser().queues.enter(later))) as FanfareError;
    expect(error).toMatchObject({ status: 423, code: "QUEUE_NOT_OPEN" });
    expect(error.retryAfter).toBeGreaterThan(86_000);
    expect(error.extra.openAt).toMatch(/Z$/);
  });

  it("are not found by a wrong id, nor a status of who never entered", async () => {
    const fanfare = browser();
    expect(await refused(fanfare.queues.get("queue_1"))).toMatchObject({ status: 404, code: "QUEUE_NOT_FOUND" });
    expect(await refused(fanfare.queues.status(line))).toMatchObject({ code: "CONSUMER_NOT_IN_QUEUE" });
    expect(await refused(fanfare.queues.proof(line))).toMatchObject({ code: "PROOF_NOT_FOUND" });
  });
});

it("draws are entered, watched to their end, and proved", async () => {
  const { raffle } = ids.draws;
  const fanfare = browser();
  const { commitment } = await fanfare.draws.get(raffle);
  const entered = await fanfare.draws.enter(raffle);
  expect(entered).toMatchObject({ status: "QUEUED", drawStatus: "ENTERED", entryNumber: 1 });
  const watch = (listener: WatchListener<DrawStatus>) => fanfare.draws.watch(raffle, listener);
  const won = await until(watch, (status) => status?.status === "ADMITTED");
  expect(won).toMatchObject({ drawStatus: "WON" });
  const proof = await fanfare.draws.proof(raffle, { limit: 10 });
  expect(proof).toMatchObject({ commitment });
});

it("auctions take bids, once for each key, and tell the least acceptable", async () => {
  const { lot } = ids.auctions;
  const fanfare = browser();
  const bid = { amount: "100.00", maxAmount: "150.00", idempotencyKey: "first" };
  const first = await fanfare.auctions.bid(lot, bid);
  expect(first).toMatchObject({ status: "QUEUED", bidStatus: "WINNING", lastBidAmount: "100.00" });
  expect((await fanfare.auctions.bid(lot, bid)).bidCount).toBe(1);
  const low = (await refused(browser().auctions.bid(lot, { amount: "100.00" }))) as FanfareError;
  expect(low).toMatchObject({ status: 400, code: "BID_TOO_LOW", extra: { minimumNextBid: "105.00" } });
  // What everybody may see is remembered for a second.
  await expect.poll(() => fanfare.auctions.highestBid(lot), { timeout: 3000 }).toMatchObject({ amount: "100.00" });
  expect((await fanfare.auctions.history(lot, { limit: 1 })).data).toHaveLength(1);
  expect((await fanfare.auctions.bids(lot)).data[0]).toMatchObject({ isOwn: true, amount: "100.00" });
  expect((await fanfare.auctions.status(lot)).bidStatus).toBe("WINNING");
  const watch = (listener: WatchListener<Auction>) => fanfare.auctions.watchAuction(lot, listener);
  const price = await until(watch, () => true);
  expect(price).toMatchObject({ currencyCode: "EUR", status: "OPEN" });
});

it("timed releases admit at once", async () => {
  const { flash } = ids.timedReleases;
  const fanfare = browser();
  expect(await fanfare.timedReleases.get(flash)).toMatchObject({ inventory: 5 });
  const status = await fanfare.timedReleases.enter(flash);
  expect(status).toMatchObject({ status: "ADMITTED", timedReleaseId: flash });
  expect((await fanfare.timedReleases.status(flash)).admissionToken).toBeDefined();
  expect(await fanfare.timedReleases.leave(flash)).toMatchObject({ status: "LEFT" });
});

it("appointments are booked, moved, put into calendars and cancelled", async () => {
  const { fitting } = ids.appointments;
  const fanfare = browser();
  const day = new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10);
  const { slots } = await fanfare.appointments.slots(fitting, { startDate: day, endDate: day });
  expect(slots).toHaveLength(16);
  const [one, other] = slots.map(({ id }) => id);
  const booked = await fanfare.appointments.book(fitting, { slotId: one! });
  expect(booked).toMatchObject({ status: "ADMITTED", slotId: one });
  const file = await fanfare.appointments.calendarFile(fitting, booked.bookingId!);
  expect(file).toContain("BEGIN:VCALENDAR");
  const told = (listener: WatchListener<AppointmentStatus>) => fanfare.appointments.watch(fitting, listener);
  const moved = until(told, (status) => status?.slotId === other);
  await fanfare.appointments.rebook(fitting, { slotId: other! });
  expect((await moved)?.bookings).toHaveLength(1);
  expect(await fanfare.appointments.cancel(fitting, { reason: "ill" })).toMatchObject({ status: "CANCELLED" });
  expect(await fanfare.appointments.status(fitting)).toMatchObject({ status: "LEFT" });
});

it("waitlists are entered and left", async () => {
  const { next } = ids.waitlist;
  const fanfare = browser();
  const before = until<WaitlistStatus>((listener) => fanfare.waitlists.watch(next, listener), () => true);
  expect(await before).toBeNull();
  const entry = await fanfare.waitlists.enter(next);
  expect(entry).toMatchObject({ status: "QUEUED", isEntered: true, waitlistId: next });
  expect(await fanfare.waitlists.status(next)).toMatchObject({ isEntered: true, enteredAt: entry.enteredAt });
  expect(await fanfare.waitlists.leave(next)).toMatchObject({ status: "LEFT", isEntered: false });
  expect(await fanfare.waitlists.status(next)).toEqual({ waitlistId: next, isEntered: false });
  expect(await fanfare.waitlists.get(next)).toMatchObject({ mode: "notify" });
});

describe("sessions", () => {
  it("show who one is and where one stands", async () => {
    const fanfare = browser();
    await fanfare.experiences.enter(ids.experience);
    await fanfare.queues.enter(slow);
    const me = await fanfare.consumers.me();
    expect(me).toMatchObject({ isGuest: true, id: fanfare.auth.session()?.consumerId });
    expect(Object.keys(me.active.queues)).toEqual([slow]);
    expect(await fanfare.experiences.leave(ids.experience)).toEqual({ left: true });
  });

  it("take a guest's place along when the shop names its customer", async () => {
    const fanfare = browser();
    const { position } = await fanfare.queues.enter(slow);
    const subject = `customer-${Date.now()}`;
    const named = { provider: "shop", issuer: "https://shop.example.com", subject };
    const { exchangeCode } = await shop("/auth/external/authorize", named);
    expect(await fanfare.auth.exchange(exchangeCode as string)).toMatchObject({ type: "authenticated" });
    expect(await fanfare.queues.status(slow)).toMatchObject({ status: "QUEUED", position });
    expect(await refused(fanfare.auth.exchange("exc_unknown"))).toMatchObject({ code: "INVALID_EXCHANGE_CODE" });
  });

  it("are renewed, and ended", async () => {
    const fanfare = browser();
    const { consumerId } = await fanfare.auth.guest();
    expect((await fanfare.auth.refresh())?.consumerId).toBe(consumerId);
    await fanfare.auth.logout();
    expect(fanfare.auth.session()).toBeNull();
  });

  it("that were ended elsewhere are replaced without a word", async () => {
    const kept = new Map<string, string>();
    const storage = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
      removeItem: (key: string) => void kept.delete(key),
    };
    const fanfare = browser({ storage });
    const { consumerId } = await fanfare.auth.guest();
    const copy = new Map(kept);
    await fanfare.auth.logout();
    copy.forEach((value, key) => kept.set(key, value)); // as another device that knows nothing of it
    expect(fanfare.auth.session()?.consumerId).toBe(consumerId);
    expect(await fanfare.queues.enter(line)).toMatchObject({ queueId: line });
    expect(fanfare.auth.session()?.consumerId).not.toBe(consumerId);
  });

  it("are opened by the code that was sent, which takes the guest's place along, and by no other", async () => {
    const fanfare = browser();
    const changes: (string | undefined)[] = [];
    fanfare.auth.onChange((session) => changes.push(session?.type));
    const { position } = await fanfare.queues.enter(slow);
    const contact = { email: `sdk-${Date.now()}@example.com` };
    expect(await fanfare.auth.requestOtp(contact)).toMatchObject({ ok: true });
    const wrong = await refused(fanfare.auth.verifyOtp({ ...contact, code: "abcdef" }));
    expect(wrong).toMatchObject({ status: 401, code: "OTP_INVALID" });
    await expect.poll(() => codeFor(contact.email), { timeout: 20_000 }).toMatch(/^\d{6}$/);
    const session = await fanfare.auth.verifyOtp({ ...contact, code: codeFor(contact.email) });
    expect(session).toMatchObject({ type: "authenticated", email: contact.email });
    expect(fanfare.auth.session()).toEqual(session);
    expect(changes).toEqual(["guest", "authenticated"]);
    expect(await fanfare.queues.status(slow)).toMatchObject({ status: "QUEUED", position });
    expect(await fanfare.consumers.me()).toMatchObject({ isGuest: false, email: contact.email });
  });
});

describe("bad input", () => {
  it("a wrong key is a typed error", async () => {
    const error = await refused(browser({ publishableKey: "pk_test_wrong" }).queues.enter(line));
    expect(error).toMatchObject({ status: 401, code: "AUTHENTICATION_REQUIRED" });
  });

  it("a server that is away is one too", async () => {
    const error = await refused(browser({ baseUrl: "http://127.0.0.1:9/api/v1" }).auth.guest());
    expect(error).toBeInstanceOf(NetworkError);
  });

  it("pages that are not the API's are one too", async () => {
    const { FANFARE_URL: url = "" } = process.env;
    const error = await refused(browser({ baseUrl: `${url}/admin` }).organizations.current());
    expect(error).toMatchObject({ code: "INVALID_RESPONSE" });
  });

  it("what is described wrongly is said by field", async () => {
    const error = await refused(browser().appointments.slots(ids.appointments.fitting, { date: "tomorrow" }));
    expect(error).toMatchObject({ status: 400, code: "VALIDATION_FAILED", details: [{ field: "date" }] });
  });
});

it("an experience and its organization are as set up", async () => {
  const fanfare = browser();
  const experience = await fanfare.experiences.get(ids.experience);
  expect(experience.sequences[0]?.queues.map(({ id }) => id)).toContain(line);
  expect(await fanfare.organizations.current()).toMatchObject({ slug: "sdk-wire", currencyCode: "EUR" });
});
