/** What is on the page: a view, which is one of the page's templates, and what is filled into it.
 *
 * In a template, `data-slot="place"` is where a text goes, `data-if="place"` is there only with it,
 * `data-pressed="chosen"` is pressed and `data-off="full"` disabled with it, `data-bar="progress"` is as wide as a
 * share, `data-link="shop"` is where a link leads, `data-do="enter"` is what a button or a form does,
 * `data-list="days"` repeats the template inside it for each of its items, and `data-value="amount"` is a field
 * with a suggestion in it.
 */

export interface Filling {
  /** By slot; null, empty or absent: nothing, and what hangs on it is hidden. */
  text?: Record<string, string | null | undefined>;
  /** Shares from 0 to 1. */
  bars?: Record<string, number>;
  links?: Record<string, string>;
  does?: Record<string, (form: FormData) => void>;
  lists?: Record<string, Filling[]>;
  /** By field; absent: what stands there stays. */
  values?: Record<string, Suggestion>;
}

/** What is in a field until somebody types something else. */
export interface Suggestion {
  text: string;
  /** It replaces what was typed where this is another than before; undefined: never. */
  because?: unknown;
  /** What was typed can't be used. */
  isWrong?: boolean;
}

export class Stage {
  private name = "";
  private filling: Filling = {};
  private readonly filled = new WeakMap<Element, string>();
  private readonly suggested = new WeakMap<Element, Suggestion>();
  private acted: Element | null = null;

  constructor(private readonly root: HTMLElement) {
    root.addEventListener("click", (event) => this.act(event, "button[data-do]"));
    root.addEventListener("submit", (event) => this.act(event, "form[data-do]"));
  }

  /** Show the first of these views that the page has; one that is there already is only filled anew. */
  show(names: string[], filling: Filling): void {
    const name = names.find((one) => template(one) !== null);
    if (name === undefined) return;
    this.filling = filling;
    const isNew = name !== this.name;
    if (isNew) {
      this.root.replaceChildren(template(name)?.content.cloneNode(true) ?? "");
      this.root.removeAttribute("aria-busy");
      this.root.dataset.shows = name;
    }
    this.fill(this.root, filling);
    if (isNew && this.name !== "") this.focus();
    this.name = name;
  }

  /** Put something beside what was pressed last, while that is shown; else at the end. */
  beside(element: HTMLElement): void {
    const place = this.acted && this.root.contains(this.acted) ? this.acted.closest("p, form, li") : null;
    if (place) place.after(element);
    else this.root.append(element);
  }

  private focus(): void {
    const first = this.root.querySelector<HTMLElement>("[data-first]") ?? this.root.querySelector("h1");
    if (!first) return;
    if (first.tagName === "H1") first.tabIndex = -1;
    first.focus({ preventScroll: true });
    scrollTo({ top: 0 });
  }

  private fill(root: ParentNode, { text = {}, bars = {}, links = {}, lists = {}, values = {} }: Filling): void {
    for (const list of root.querySelectorAll<HTMLElement>("[data-list]")) {
      this.repeat(list, lists[list.dataset.list ?? ""] ?? []);
    }
    for (const slot of own(root, "data-slot")) {
      const value = text[slot.dataset.slot ?? ""] ?? "";
      if (slot.textContent !== value) slot.textContent = value;
    }
    for (const part of own(root, "data-if")) part.hidden = !text[part.dataset.if ?? ""];
    for (const button of own(root, "data-pressed")) {
      button.setAttribute("aria-pressed", String(Boolean(text[button.dataset.pressed ?? ""])));
    }
    for (const button of own(root, "data-off")) {
      (button as HTMLButtonElement).disabled = Boolean(text[button.dataset.off ?? ""]);
    }
    for (const bar of own(root, "data-bar")) {
      const share = Math.min(1, Math.max(0, bars[bar.dataset.bar ?? ""] ?? 0));
      bar.style.setProperty("--share", share.toFixed(4));
    }
    for (const link of own(root, "data-link")) {
      const address = links[link.dataset.link ?? ""];
      if (address === undefined) link.removeAttribute("href");
      else if (link.getAttribute("href") !== address) link.setAttribute("href", address);
    }
    for (const field of own(root, "data-value")) {
      const value = values[field.dataset.value ?? ""];
      if (value && field instanceof HTMLInputElement) this.suggest(field, value);
    }
  }

  private suggest(field: HTMLInputElement, value: Suggestion): void {
    const before = this.suggested.get(field);
    const isNews = value.because !== undefined && value.because !== before?.because;
    const isUntouched = field.value === (before?.text ?? "");
    this.suggested.set(field, { ...value, because: value.because ?? before?.because });
    if (before === undefined || isNews || isUntouched) field.value = value.text;
    field.setAttribute("aria-invalid", String(value.isWrong ?? false));
    if (value.isWrong && isNews) field.select();
  }

  /** Items that stay as they were keep their elements, and with them the focus. */
  private repeat(list: HTMLElement, items: Filling[]): void {
    const pattern = list.querySelector("template");
    const told = JSON.stringify(items);
    if (!pattern || this.filled.get(list) === told) return;
    this.filled.set(list, told);
    const made = items.map((item, index) => {
      const copy = pattern.content.cloneNode(true) as DocumentFragment;
      this.fill(copy, item);
      for (const child of copy.children) (child as HTMLElement).dataset.item = String(index);
      return copy;
    });
    const focused = list.querySelector<HTMLElement>(":focus");
    list.replaceChildren(pattern, ...made);
    if (focused) this.refocus(list, focused);
  }

  /** To what took the place of what had the focus. */
  private refocus(list: HTMLElement, before: HTMLElement): void {
    const item = before.closest<HTMLElement>("[data-item]")?.dataset.item ?? "";
    const verb = before.dataset.do ?? "";
    list.querySelector<HTMLElement>(`[data-item="${item}"] [data-do="${verb}"], [data-item="${item}"][data-do="${verb}"]`)?.focus();
  }

  private act(event: Event, selector: string): void {
    const found = event.target instanceof Element ? event.target.closest<HTMLElement>(selector) : null;
    if (found?.closest("[data-do]") !== found || !found) return;
    const item = found.closest<HTMLElement>("[data-item]");
    const list = item?.closest<HTMLElement>("[data-list]")?.dataset.list ?? "";
    const { does = {} } = item ? (this.filling.lists?.[list]?.[Number(item.dataset.item)] ?? {}) : this.filling;
    event.preventDefault();
    this.acted = found;
    does[found.dataset.do ?? ""]?.(found instanceof HTMLFormElement ? new FormData(found) : new FormData());
  }
}

function template(name: string): HTMLTemplateElement | null {
  return document.querySelector(`template[data-view="${name}"]`);
}

/** What belongs to this root and not to an item of a list in it. */
function own(root: ParentNode, attribute: string): HTMLElement[] {
  const all = [...root.querySelectorAll<HTMLElement>(`[${attribute}]`)];
  return root instanceof DocumentFragment ? all : all.filter((one) => !one.closest("[data-item]"));
}
