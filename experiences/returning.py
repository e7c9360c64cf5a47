"""Where a hosted page may send somebody on to: addresses of the organization's own hosts.

An address is read by one narrow pattern instead of a parser, so that no browser can understand it
differently: ASCII alone, https, no user name, no backslash, and no port but on this very machine, where
http will do.
"""

import re
from collections.abc import Iterable
from urllib.parse import urlencode

MOST = 2_000  # characters of an address
_ADDRESS = re.compile(r"(https?)://([A-Za-z0-9.-]{1,253})(:\d{1,5})?((?:[/?#][!-\[\]-~]*)?)")
_LOCAL = ("localhost", "127.0.0.1")


def allowed(address: str, hosts: Iterable[str]) -> str | None:
    """The address, if it is one of these hosts'; else None. `*.example.com` stands for all below it."""
    found = _ADDRESS.fullmatch(address) if len(address) <= MOST else None
    if found is None:
        return None
    scheme, host, port = found[1], found[2].lower(), found[3]
    if host not in _LOCAL and (scheme != "https" or port):
        return None
    labels = host.split(".")
    wider = (f"*.{'.'.join(labels[start:])}" for start in range(1, len(labels)))
    known = set(hosts)
    is_known = host in known or ("" not in labels and any(pattern in known for pattern in wider))
    return address if is_known else None


def with_parameters(address: str, **parameters: str) -> str:
    """The address with more in its query, before the fragment."""
    start, mark, fragment = address.partition("#")
    joint = "&" if "?" in start else "?"
    return f"{start}{joint}{urlencode(parameters)}{mark}{fragment}"
