/** Takes the admission to the shop's own server, which sells. */

import { useState } from "react";
import { fanfare } from "./QueueComponent";

export function Checkout({ token, onBought }: { token: string; onBought: () => void }) {
  const [refusal, setRefusal] = useState("");
  const [isBuying, setBuying] = useState(false);

  async function buy() {
    setBuying(true);
    setRefusal("");
    try {
      const consumerId = fanfare.auth.session()?.consumerId;
      const body = JSON.stringify({ token, consumerId, fingerprint: await fanfare.fingerprint() });
      const response = await fetch("/shop/buy", { method: "POST", body });
      if (response.ok) onBought();
      else setRefusal(((await response.json()) as { message: string }).message);
    } catch {
      setRefusal("The shop can't be reached. Please try again.");
    }
    setBuying(false);
  }

  return (
    <section>
      <h2>Checkout</h2>
      <button onClick={() => void buy()} disabled={isBuying}>Buy for 120 €</button>
      {refusal && <p role="alert">{refusal}</p>}
    </section>
  );
}
