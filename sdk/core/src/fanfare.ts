/** The client: one for each publishable key. Nothing is asked of any server until something is needed. */

import { Api, type Solve } from "./api";
import { Appointments } from "./appointments";
import { Auctions } from "./auctions";
import { Auth } from "./auth";
import { Consumers, Experiences, Organizations } from "./experiences";
import { fingerprinter, type FingerprintOption } from "./fingerprint";
import { Http, type Fetch } from "./http";
import { Draws, Queues, TimedReleases } from "./queues";
import { Sessions } from "./session";
import { SafeStorage, type KeyValueStorage } from "./storage";
import { Waitlists } from "./waitlists";
import { Watchers } from "./watchers";

const BASE_URL = "https://consumer.fanfare.io/api/v1";

export interface FanfareOptions {
  /** `pk_live_…` or `pk_test_…`. A secret key is refused: it belongs on the shop's server. */
  publishableKey: string;
  /** Where the Consumer API is, such as `https://fanfare.example.com/api/v1`. */
  baseUrl?: string | undefined;
  /** Where session and fingerprint are kept; localStorage, or memory where that is blocked. */
  storage?: KeyValueStorage | undefined;
  /** The device's name, or what finds it out; a random one that is kept, unless given. */
  fingerprint?: FingerprintOption | undefined;
  /** Solves a proof of work, where staff ask for one on entering: gives altcha's payload. */
  solve?: Solve | undefined;
  /** Instead of the global one. */
  fetch?: Fetch | undefined;
}

export class Fanfare {
  readonly auth: Auth;
  readonly experiences: Experiences;
  readonly organizations: Organizations;
  readonly consumers: Consumers;
  readonly queues: Queues;
  readonly draws: Draws;
  readonly auctions: Auctions;
  readonly timedReleases: TimedReleases;
  readonly appointments: Appointments;
  readonly waitlists: Waitlists;
  /** The device's name, as the shop's server passes it on when it validates an admission. */
  readonly fingerprint: () => Promise<string>;

  /** Throws TypeError for a key that does not belong in a browser. */
  constructor({ publishableKey, baseUrl = BASE_URL, storage, fingerprint, solve, fetch }: FanfareOptions) {
    refuseOtherKeys(publishableKey);
    const namespace = `fanfare:${publishableKey}`;
    const safe = new SafeStorage(namespace, storage);
    const http = new Http(baseUrl.replace(/\/+$/, ""), publishableKey, fetch);
    this.fingerprint = fingerprinter(safe, fingerprint);
    const api = new Api(http, new Sessions(http, safe), this.fingerprint, solve);
    const watchers = new Watchers(namespace, api.sessions);
    this.auth = new Auth(api);
    this.experiences = new Experiences(api, watchers);
    this.organizations = new Organizations(api);
    this.consumers = new Consumers(api, watchers);
    this.queues = new Queues(api, watchers);
    this.draws = new Draws(api, watchers);
    this.auctions = new Auctions(api, watchers);
    this.timedReleases = new TimedReleases(api, watchers);
    this.appointments = new Appointments(api, watchers);
    this.waitlists = new Waitlists(api, watchers);
  }
}

function refuseOtherKeys(key: string): void {
  if (key.startsWith("sk_")) {
    throw new TypeError("A secret key belongs on the shop's server. Here is pk_live_… or pk_test_… wanted.");
  }
  if (!/^pk_[\x21-\x7e]+$/.test(key)) throw new TypeError("publishableKey is pk_live_… or pk_test_…");
}
