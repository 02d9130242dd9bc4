"""What a team would write by hand: createsend, the service's own client, and the csv module, 1,000 rows at a time.

The library speaks HTTPS only, to one host; here it is given plain HTTP to the stand-in. The time is from the first byte
of the download to the last answer; imports do not count.
"""

import time
from http.client import HTTPConnection
from itertools import batched

import createsend
import createsend.createsend

from bench.peers import order as orders


def main() -> None:
    order = orders.read()
    createsend.createsend.VerifiedHTTPSConnection = HTTPConnection
    createsend.CreateSend.base_uri = order.api
    begun, sent = time.perf_counter(), 0
    service = createsend.Subscriber({"api_key": order.key})
    for rows in batched(orders.profiles(order), 1000, strict=False):
        result = service.import_subscribers(order.list_id, list(map(orders.subscriber, rows)), False)
        sent += result.TotalNewSubscribers + result.TotalExistingSubscribers
    orders.done(time.perf_counter() - begun, sent)


if __name__ == "__main__":
    main()
