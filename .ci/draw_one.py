"""A draw over HTTP: five guests enter, it draws itself, and the files for outsiders find nothing wrong.

Standard library only. `draw_one.py BASE_URL PUBLISHABLE_KEY DRAW` exits 1 with what was not as promised.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

from admit_one import Client, NotAsPromised, expect

FOR_OUTSIDERS = Path(__file__).parent.parent / "sdk" / "verifier"
_SECONDS = 40.0


def main(base_url: str, key: str, draw: str) -> None:
    """From five entries to a verified result. Raises NotAsPromised."""
    front = Client(base_url, {"X-Publishable-Key": key})
    people = []
    for number in range(5):
        guest = front.get_through("POST", "/auth/guest", {})
        people.append(Client(base_url, {"Authorization": f"Bearer {guest['accessToken']}"}))
        device = {"X-Fingerprint": f"fp_ci0000000{number}"}
        expect(people[-1].get_through("POST", f"/draws/{draw}/enter", {}, **device), "drawStatus", "ENTERED")
    deadline = time.monotonic() + _SECONDS
    while front.get_through("GET", f"/draws/{draw}")["status"] != "DRAWN" and time.monotonic() < deadline:
        time.sleep(0.5)
    time.sleep(1.5)  # what the other web process remembers is a second old
    found = [one.get_through("GET", f"/draws/{draw}/status") for one in people]
    if sorted(body["drawStatus"] for body in found) != ["LOST", "LOST", "LOST", "WON", "WON"]:
        raise NotAsPromised(json.dumps(found))
    base = base_url.rstrip("/")
    for body in found:
        receipt = json.dumps(body["receipt"])
        look("verify_draw.py", f"{base}/api/v1/draws/{draw}/proof", "--key", key, "--receipt", receipt)
        look("check_receipt.py", receipt, "--jwks", f"{base}/.well-known/jwks.json")


def look(name: str, *arguments: str) -> None:
    """Let one of the files have a look, as an entrant would."""
    words = [sys.executable, "-I", str(FOR_OUTSIDERS / name), *arguments]
    said = subprocess.run(words, capture_output=True, text=True)
    if said.returncode:
        raise NotAsPromised(said.stdout + said.stderr)


if __name__ == "__main__":
    began = time.monotonic()
    try:
        main(*sys.argv[1:])
    except (NotAsPromised, OSError, KeyError, ValueError) as problem:
        sys.exit(f"draw_one: {type(problem).__name__}: {problem}")
    sys.stdout.write(f"drawn and verified in {time.monotonic() - began:.1f} s\n")
