/** The shop: one pair of shoes, its queue, its checkout. */

import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import { useQueue } from "@fanfare/sdk-react";
import { Checkout } from "./Checkout";
import { QueueComponent } from "./QueueComponent";
import "./style.css";

const queueId = import.meta.env.VITE_QUEUE;

// A map, since staff may give any reason in their own words, "constructor" too.
const REASONS = new Map([
  ["ADMISSION_EXPIRED", "Your time to buy is over. You may join the line again."],
  ["QUEUE_CLOSED", "All pairs are sold."],
]);

function Shop() {
  const { status, leave, error } = useQueue(queueId);
  const [isBought, setBought] = useState(false);
  // Our server's answer is enough; Fanfare says the same at the next look, and after a reload.
  if (isBought || status?.status === "COMPLETED") return <p role="status">It's yours. Thank you!</p>;
  return (
    <>
      <p>One pair of shoes, size 42, 120 €. Many would like it, so there is a line.</p>
      <QueueComponent queueId={queueId} />
      {status?.status === "QUEUED" && <p>Your place: {status.position} <button onClick={leave}>Leave</button></p>}
      {status?.status === "DENIED" && <p role="status">{REASONS.get(status.denyReason ?? "") ?? "We can't let you in."}</p>}
      {status?.admissionToken && <Checkout token={status.admissionToken} onBought={() => setBought(true)} />}
      {error && <p role="alert">{error.message}</p>}
    </>
  );
}

const root = document.querySelector("#shop");
if (root) createRoot(root).render(<StrictMode><h1>The pair</h1><Shop /></StrictMode>);
