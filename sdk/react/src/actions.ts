/** Actions on one thing: what is underway, and what went wrong, for all components that show it. */

/** A DOM event or React's, which `onClick={enter}` hands over as the first argument. */
export interface Occurrence {
  preventDefault(): void;
}

/** Takes an action underway; what it was answered, or undefined where it failed. Never rejects. */
export type Run = <T>(action: () => Promise<T>) => Promise<T | undefined>;

interface State {
  underway: number;
  /** That of the last action, until the next one begins. */
  error: Error | null;
}

export const IDLE: State = { underway: 0, error: null };

export class Acting {
  private readonly listeners = new Set<() => void>();
  private state = IDLE;

  readonly watch = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) this.state = { ...this.state, error: null }; // whoever comes next has not seen it fail
    };
  };

  readonly snapshot = (): State => this.state;

  readonly run: Run = async (action) => {
    this.set(1, null);
    try {
      const answer = await action();
      this.set(-1, this.state.error);
      return answer;
    } catch (error) {
      this.set(-1, error as Error);
      return undefined;
    }
  };

  private set(more: number, error: Error | null): void {
    this.state = { underway: this.state.underway + more, error: this.listeners.size > 0 ? error : null };
    for (const listener of [...this.listeners]) listener();
  }
}

const known = new WeakMap<object, Map<string, Acting>>();

/** The same one for the same `of`, which is a client's, and `id`. */
export function actingOn(of: object, id = ""): Acting {
  const all = known.get(of) ?? new Map<string, Acting>();
  const found = all.get(id) ?? new Acting();
  known.set(of, all.set(id, found));
  return found;
}

/** What was given, unless it is an event. */
export function unlessEvent<T extends object>(given: T | Occurrence | undefined): T | undefined {
  return given && "preventDefault" in given ? undefined : given;
}
