"""Tests in a real browser (Debian's Chromium, by Playwright) against the real processes.

They run as one group on one of pytest's workers, where one stack (PostgreSQL, Valkey, web, worker, beat:
what `make run` starts) is up for all of them. Without Chromium they are skipped, and say so; .ci/run
installs it.

To add a test: a module `test_….py` here, with a fixture of the scope `module` that sets up a launch of its
own by `stack.apply(…)` (the names of `demo.yaml`; an organization's slug that no other module has), and
tests that take `desktop` or `phone` (a page, 360 pixels wide), or `open_context` where they need several
browsers that know nothing of one another. Open `stack.url` or what stands before it, look for what a person
sees (`page.get_by_role(…)`), and wait by `expect(…)`, never by sleeping. `stack.call(…)` asks the API, as a
shop's server does. An uncaught error in a page fails its test; a failed test's pages are kept as pictures,
named in the report. Django's database is out of reach here: the truth is in the stack's.

All of them together may cost two minutes. Alone: `make test ARGS="tests/e2e"`.
"""
