"""What one machine needs to run Fanfare: PostgreSQL, Valkey, and the processes beside them.

Plain Python: no Django, nothing from the rest of Fanfare, so that settings may import it.
`servers` starts the two servers, `machine` everything; `addresses` tells where they are.
"""
