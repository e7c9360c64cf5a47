/** Where session and fingerprint are kept: localStorage where there is one that works, else memory. */

/** What a custom storage must have; localStorage has it. */
export interface KeyValueStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** Never throws: what can't be kept outside (private mode, quota, no browser) is kept in memory. */
export class SafeStorage implements KeyValueStorage {
  private readonly memory = new Map<string, string>();
  private readonly outside: KeyValueStorage | undefined;
  /** Whether other tabs of this browser see the same. */
  readonly isShared: boolean;

  /** `namespace` parts what belongs to different keys. */
  constructor(
    private readonly namespace: string,
    given?: KeyValueStorage,
  ) {
    const local = attempt(() => globalThis.localStorage) ?? undefined;
    this.outside = given ?? local;
    const probe = `${namespace}:probe`;
    const works = attempt(() => (this.outside?.setItem(probe, "1"), this.outside?.removeItem(probe), true));
    this.isShared = local !== undefined && this.outside === local && works === true;
  }

  /** The key as it is outside. */
  key(name: string): string {
    return `${this.namespace}:${name}`;
  }

  getItem(name: string): string | null {
    return this.memory.get(name) ?? attempt(() => this.outside?.getItem(this.key(name))) ?? null;
  }

  setItem(name: string, value: string): void {
    const key = this.key(name);
    // Some storages throw, others keep nothing and say nothing.
    const isKept = attempt(() => (this.outside?.setItem(key, value), this.outside?.getItem(key) === value));
    if (isKept) this.memory.delete(name);
    else this.memory.set(name, value);
  }

  removeItem(name: string): void {
    this.memory.delete(name);
    attempt(() => this.outside?.removeItem(this.key(name)));
  }
}

function attempt<T>(what: () => T): T | null {
  try {
    return what();
  } catch {
    return null;
  }
}
