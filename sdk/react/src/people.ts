/** Hooks for where the consumer is taken, and for who they are. */

import { useMemo, useState, useSyncExternalStore } from "react";
import type { Auth, CodeRequested, Consumer, Experience, Session, Visit } from "@fanfare/sdk-core";
import { actingOn, unlessEvent, type Occurrence } from "./actions";
import { useFanfare } from "./client";
import { useFollowed, type Steered } from "./watched";

export interface ExperienceHook {
  /** Null until it is known. */
  experience: Experience | null;
  /** The sequence that this component's `enter` led to; null before that, and after `leave`. */
  visit: Visit | null;
  /** Actions keep their identity, and resolve to undefined where `error` says what went wrong. */
  enter: (options?: { accessCode?: string | undefined } | Occurrence) => Promise<Visit | undefined>;
  leave: () => Promise<{ left: boolean } | undefined>;
  isLoading: boolean;
  error: Error | null;
}

export function useExperience(experienceId: string): ExperienceHook {
  const { experiences } = useFanfare();
  const subject = useMemo<Steered<Experience>>(
    () => ({
      watch: (listener) => experiences.watch(experienceId, listener),
      snapshot: () => experiences.snapshot(experienceId),
      acting: actingOn(experiences, experienceId),
    }),
    [experiences, experienceId],
  );
  const { value, isLoading, error, run } = useFollowed(subject);
  const [entered, setEntered] = useState<{ of: object; visit: Visit | null }>({ of: subject, visit: null });
  const actions = useMemo<Pick<ExperienceHook, "enter" | "leave">>(
    () => ({
      enter: (options) =>
        run(async () => {
          const visit = await experiences.enter(experienceId, unlessEvent(options));
          setEntered({ of: subject, visit });
          return visit;
        }),
      leave: () =>
        run(async () => {
          const answer = await experiences.leave(experienceId);
          setEntered({ of: subject, visit: null });
          return answer;
        }),
    }),
    [experiences, experienceId, subject, run],
  );
  return { experience: value, visit: entered.of === subject ? entered.visit : null, isLoading, error, ...actions };
}

export interface ConsumerHook {
  /** Who it is, with all they take part in; null where there is no session, which nobody is given just for that. */
  consumer: Consumer | null;
  session: Session | null;
  /** Actions keep their identity, and resolve to undefined where `error` says what went wrong. */
  requestOtp: (...contact: Parameters<Auth["requestOtp"]>) => Promise<CodeRequested | undefined>;
  verifyOtp: (...sign: Parameters<Auth["verifyOtp"]>) => Promise<Session | undefined>;
  exchange: (exchangeCode: string) => Promise<Session | undefined>;
  logout: () => Promise<void>;
  /** Ask again: after they have entered something, say. */
  reload: () => void;
  isLoading: boolean;
  error: Error | null;
}

export function useConsumer(): ConsumerHook {
  const { auth, consumers } = useFanfare();
  const subject = useMemo<Steered<Consumer>>(
    () => ({
      watch: (listener) => consumers.watch(listener),
      snapshot: () => consumers.snapshot(),
      acting: actingOn(consumers),
    }),
    [consumers],
  );
  const sessions = useMemo(
    () => ({ watch: (listener: () => void) => auth.onChange(listener), snapshot: () => auth.session() }),
    [auth],
  );
  const session = useSyncExternalStore(sessions.watch, sessions.snapshot, none);
  const { value, isLoading, error, run } = useFollowed(subject);
  const actions = useMemo(
    () => ({
      requestOtp: (...[contact]: Parameters<Auth["requestOtp"]>) => run(() => auth.requestOtp(contact)),
      verifyOtp: (...[sign]: Parameters<Auth["verifyOtp"]>) => run(() => auth.verifyOtp(sign)),
      exchange: (exchangeCode: string) => run(() => auth.exchange(exchangeCode)),
      logout: () => run(() => auth.logout()),
      reload: () => consumers.reload(),
    }),
    [auth, consumers, run],
  );
  return { consumer: value, session, isLoading, error, ...actions };
}

function none(): null {
  return null;
}
