/** Takes the admission to the shop's own server, which sells. */

import { useState } from "react";
import { fanfare } from "./QueueComponent";

export function Checkout({ token }: { token: string }) {
  const [said, setSaid] = useState("");
  const [isBuying, setBuying] = useState(false);

  async function buy() {
    setBuying(true);
    try {
      const consumerId = fanfare.auth.session()?.consumerId;
      const body = JSON.stringify({ token, consumerId, fingerprint: await fanfare.fingerprint() });
      const response = await fetch("/shop/buy", { method: "POST", body });
      setSaid(((await response.json()) as { message: string }).message);
    } catch {
      setSaid("The shop can't be reached. Please try again.");
    }
    setBuying(false);
  }

  return (
    <section>
      <h2>Checkout</h2>
      <button onClick={() => void buy()} disabled={isBuying}>Buy for 120 €</button>
      <p role="status">{said}</p>
    </section>
  );
}
