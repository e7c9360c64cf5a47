// The SDK against a real server: with `make run` going, sets up a launch of its own (every time a new one) and runs
// the tests in */tests/wire on it. FANFARE_PORT and FANFARE_DATA_DIR as for `make run`.
import { execFileSync, spawnSync } from "node:child_process";

const root = new URL("../../", import.meta.url);
const python = process.env.PYTHON ?? new URL(".venv/bin/python", root).pathname;
const stamp = Date.now().toString(36);
const allWeek = Object.fromEntries(["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map((day) => [day, [["09:00", "17:00"]]]));
const auction = { openAt: "now", startingPrice: 100, minimumBidIncrement: 5, supportsGuest: true };

const launch = {
  organization: {
    slug: "sdk-wire",
    name: "SDK",
    timeZone: "Europe/Berlin",
    currencyCode: "EUR",
    rateLimits: { authentication: 10000 },
  },
  experiences: [
    {
      slug: `launch-${stamp}`,
      name: "Launch",
      sequences: [
        {
          slug: "everyone",
          name: "Everyone",
          queues: [
            { slug: "line", name: "Line", openAt: "now-1m", admissionRate: 600, sessionSeconds: 600 },
            { slug: "slow", name: "Slow", openAt: "now-1m", admissionRate: null },
            { slug: "later", name: "Later", openAt: "now+1d" },
          ],
          draws: [{ slug: "raffle", name: "Raffle", openAt: "now", drawAt: "now+8s", winnerCount: 1 }],
          auctions: [{ slug: "lot", name: "Lot", closeAt: "now+1h", ...auction }],
          timedReleases: [{ slug: "flash", name: "Flash", openAt: "now", inventory: 5, claimSeconds: 60 }],
          waitlist: { slug: "next", name: "Next time" },
          appointments: [{ slug: "fitting", name: "Fitting", supportsGuest: true, slotMinutes: 30, openingHours: allWeek }],
        },
      ],
    },
  ],
};

const applied = execFileSync(python, ["manage.py", "apply", "--json", "--new-keys", "-"], {
  cwd: root,
  input: JSON.stringify(launch),
});
const { organization, experiences } = JSON.parse(applied.toString());
const { id, sequences } = experiences[`launch-${stamp}`];
const env = {
  ...process.env,
  FANFARE_URL: process.env.FANFARE_URL ?? `http://127.0.0.1:${process.env.FANFARE_PORT ?? 8000}`,
  FANFARE_PK: organization.publishableKey,
  FANFARE_SK: organization.secretKey,
  FANFARE_IDS: JSON.stringify({ experience: id, ...sequences.everyone }),
};
const ran = spawnSync(process.execPath, ["node_modules/vitest/vitest.mjs", "run", "--project", "wire"], {
  cwd: new URL("../", import.meta.url),
  env,
  stdio: "inherit",
});
process.exit(ran.status ?? 1);
