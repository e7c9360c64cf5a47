"""The audit of a distribution: its trace is replayed and held against the tables and against Redis.

`checking` reads, all in one snapshot, and hands rows to pure checkers: `replay` (the states of each
participation), `counting` (capacity and rate at any instant), `order`, `lots`, `slots`, `sale`; `projections`
looks at Redis.
Nothing here changes anything. Memory stays flat, whatever the number of participations, but for an auction's
bidders and a slot's bookings.
"""
