/** Actions of a component: what is underway, and what went wrong. */

import { useCallback, useState } from "react";

/** A DOM event or React's, which `onClick={enter}` hands over as the first argument. */
export interface Occurrence {
  preventDefault(): void;
}

/** Takes an action underway; what it was answered, or undefined where it failed. Never rejects. */
export type Run = <T>(action: () => Promise<T>) => Promise<T | undefined>;

export interface Acting {
  /** The same function as long as `of` is the same. */
  run: Run;
  isActing: boolean;
  /** That of the last action, until the next one begins. */
  error: Error | null;
}

interface State {
  of: object;
  underway: number;
  error: Error | null;
}

/** What concerns another `of` (another id, another client) is not told any more. */
export function useActing(of: object): Acting {
  const [state, setState] = useState<State>({ of, underway: 0, error: null });
  const run = useCallback<Run>(
    async (action) => {
      setState((now) => ({ of, underway: now.of === of ? now.underway + 1 : 1, error: null }));
      const end = (error: Error | null) =>
        setState((now) => (now.of === of ? { of, underway: now.underway - 1, error: error ?? now.error } : now));
      try {
        const answer = await action();
        end(null);
        return answer;
      } catch (error) {
        end(error as Error);
        return undefined;
      }
    },
    [of],
  );
  const { underway, error } = state.of === of ? state : { underway: 0, error: null };
  return { run, isActing: underway > 0, error };
}

/** What was given, unless it is an event. */
export function unlessEvent<T extends object>(given: T | Occurrence | undefined): T | undefined {
  return given && "preventDefault" in given ? undefined : given;
}
