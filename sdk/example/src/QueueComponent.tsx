import { Fanfare, useQueue } from "@fanfare/sdk-react";

// Initialize
const fanfare = new Fanfare({
  publishableKey: import.meta.env.VITE_FANFARE_KEY,
  baseUrl: `${import.meta.env.VITE_FANFARE_URL}/api/v1`,
});

// React Hook
function QueueComponent({ queueId }: { queueId: string }) {
  const { status, enter, leave, isLoading } = useQueue(queueId);

  if (status?.status === "ADMITTED") {
    return <div>You're in! Token: {status.admissionToken}</div>;
  }

  return (
    <button onClick={enter} disabled={isLoading}>
      Join Queue
    </button>
  );
}

export { fanfare, QueueComponent };
