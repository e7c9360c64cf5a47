"""A crowd to try a queue with: many consumers and a shop, over HTTP only, as anyone else would.

`wire` speaks HTTP, `person` is one consumer's way through the queue, `shop` the shop's server, `outing`
all of them together; `checks` judges from the outside what must never happen, `report` sums up.
Nothing here touches the database or Redis, or imports what the service is made of.
"""
