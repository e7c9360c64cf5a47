/** What a kind adds to what all kinds show. */

import type { Filling } from "../stage";
import type { Shown } from "./kind";

export function adding(shown: Shown, { text, does, lists, ...rest }: Filling): Shown {
  const { filling } = shown;
  return {
    ...shown,
    filling: {
      ...filling,
      ...rest,
      text: { ...filling.text, ...text },
      does: { ...filling.does, ...does },
      lists: { ...filling.lists, ...lists },
    },
  };
}
