/** The API's bodies and answers by the names that the SDK gives them. */

import type { components } from "./schema";

export type Schemas = components["schemas"];

export type Status = Schemas["ParticipationStatus"];
/** What every kind's status has in common. */
export type DistributionStatus = Pick<
  Schemas["QueueStatus"],
  | "status"
  | "consumerId"
  | "enteredAt"
  | "admittedAt"
  | "completedAt"
  | "expiresAt"
  | "denyReason"
  | "admissionToken"
  | "pollAfterSeconds"
  | "message"
  | "next"
>;

export type Session = Schemas["Session"];
export type Tokens = Schemas["Tokens"];
export type Organization = Schemas["Organization"];
export type Experience = Schemas["Experience"];
export type Sequence = Schemas["Sequence"];
export type Theme = Schemas["Theme"];
export type Visit = Schemas["Visit"];
export type Consumer = Schemas["Me"];

export type Challenge = Schemas["Challenge"];

export type Queue = Schemas["Queue"];
export type QueueStatus = Schemas["QueueStatus"];
export type Draw = Schemas["Draw"];
export type DrawStatus = Schemas["DrawStatus"];
export type Proof = Schemas["Proof"];
export type Auction = Schemas["Auction"];
export type AuctionStatus = Schemas["AuctionStatus"];
export type HighestBid = Schemas["HighestBid"];
export type OwnBids = Schemas["OwnBids"];
export type PublicBids = Schemas["PublicBids"];
export type TimedRelease = Schemas["TimedRelease"];
export type TimedReleaseStatus = Schemas["TimedReleaseStatus"];
export type Appointment = Schemas["Appointment"];
export type AppointmentStatus = Schemas["AppointmentStatus"];
export type Slot = Schemas["Slot"];
export type Slots = Schemas["Slots"];
export type Cancelled = Schemas["Cancelled"];
export type Waitlist = Schemas["Waitlist"];
export type WaitlistStatus = Schemas["WaitlistStatus"];
export type WaitlistEntry = Schemas["Entry"];
export type LeftWaitlist = Schemas["LeftEntry"];
/** Where to go on when there is nothing here; refusals have it in `extra.next`. */
export type Next = Schemas["Next"];
