/** The shop: one pair of shoes, its queue, its checkout. */

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { useQueue } from "@fanfare/sdk-react";
import { Checkout } from "./Checkout";
import { QueueComponent } from "./QueueComponent";
import "./style.css";

const queueId = import.meta.env.VITE_QUEUE;

function Shop() {
  const { status, leave, error } = useQueue(queueId);
  return (
    <>
      <h1>The pair</h1>
      <p>One pair of shoes, size 42, 120 €. Many would like it, so there is a line.</p>
      {status?.status === "COMPLETED" ? <p>It's yours. Thank you!</p> : <QueueComponent queueId={queueId} />}
      {status?.status === "QUEUED" && <p>Your place: {status.position} <button onClick={leave}>Leave</button></p>}
      {status?.admissionToken && <Checkout token={status.admissionToken} />}
      {error && <p role="alert">{error.message}</p>}
    </>
  );
}

const root = document.querySelector("#shop");
if (root) createRoot(root).render(<StrictMode><Shop /></StrictMode>);
