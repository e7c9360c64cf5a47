/** `@fanfare/sdk-core`: Fanfare's Consumer API. Importing it does nothing. */

export { Fanfare, type FanfareOptions } from "./fanfare";
export {
  FanfareError,
  isFanfareError,
  NetworkError,
  type ErrorCode,
  type ErrorDetail,
  type Failure,
} from "./errors";
export { addAmounts, compareAmounts, decimalsOf, formatAmount, parseAmount } from "./money";
export type { ApiCode } from "./codes";
export type { Solve } from "./api";
export type { Auth, CodeRequested, Contact } from "./auth";
export type { Appointments, CancelOptions, Days, Which } from "./appointments";
export type { Auctions, Bid } from "./auctions";
export type { Consumers, Experiences, Organizations } from "./experiences";
export type { FingerprintOption } from "./fingerprint";
export type { Fetch } from "./http";
export type { Enterable, EnterOptions, Kind, PageOptions } from "./kinds";
export type { Draws, Queues, TimedReleases } from "./queues";
export type { SessionListener } from "./session";
export type { KeyValueStorage } from "./storage";
export type { Waitlists } from "./waitlists";
export type { Watched, WatchListener } from "./watch";
export type * from "./types";
