"""A crowd to try a launch with: many consumers and a shop, over HTTP, as anyone else would.

`wire` speaks HTTP, `person` is one consumer's way through the queue, `bidder` through the auction, `claimer`
through the timed release, `booker` through an appointment's calendar, `waiter` on the waitlist, `shop` the
shop's server, `outing` all of them together; `checks` and `bid_checks` judge from the outside what must never
happen, `report` sums up.
Nothing here touches the database or Redis, or imports what the service is made of.
"""
