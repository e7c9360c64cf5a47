/** `@fanfare/sdk-react`: the core as hooks, and all of the core. Importing it does nothing. */

export * from "@fanfare/sdk-core";
export { Fanfare, FanfareProvider, useFanfare, type FanfareProviderProps } from "./client"; // before the core's own
export { useAppointment, useAuction, useDraw, useQueue, useTimedRelease, useWaitlist } from "./distributions";
export { useConsumer, useExperience } from "./people";
export type { Occurrence } from "./actions";
