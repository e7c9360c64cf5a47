/** `/auctions/…`: bids, one's own and everybody's. Amounts are decimal text, see `money`. */

import { Kind, type PageOptions } from "./kinds";
import { randomText } from "./random";
import type { Auction, AuctionStatus, HighestBid, OwnBids, PublicBids } from "./types";
import type { Watched, WatchListener } from "./watch";

const DETAILS = "?details";

export interface Bid {
  /** Such as "150.00". */
  amount: string;
  /** A proxy bids on up to this, just as far as needed; nobody is shown it. */
  maxAmount?: string | undefined;
  /** A bid that comes again with it is answered as the first. Made anew for each call, unless given. */
  idempotencyKey?: string | undefined;
}

export class Auctions extends Kind<Auction, AuctionStatus> {
  protected readonly path = "auctions";

  /** Bid. Rejects with BID_TOO_LOW or BID_BELOW_INCREMENT, whose `extra.minimumNextBid` is the least. */
  bid(id: string, { amount, maxAmount, idempotencyKey = randomText(32) }: Bid): Promise<AuctionStatus> {
    const call = {
      method: "POST",
      path: this.at(id, "/bid"),
      body: { amount, maxAmount },
      headers: { "Idempotency-Key": idempotencyKey },
      repeatable: true, // with the same key
    } as const;
    return this.telling(id, this.api.asConsumer<AuctionStatus>(call, { fingerprinted: true }));
  }

  /** The price, and by which pseudonym. */
  highestBid(id: string): Promise<HighestBid> {
    return this.api.open<HighestBid>(this.reads(id, "/highest-bid"));
  }

  /** One's own bids, newest first. */
  history(id: string, page: PageOptions = {}): Promise<OwnBids> {
    return this.api.asConsumer<OwnBids>(this.reads(id, "/bids/history", page));
  }

  /** All bids, newest first, bidders by pseudonyms. */
  bids(id: string, page: PageOptions = {}): Promise<PublicBids> {
    return this.api.asConsumer<PublicBids>(this.reads(id, "/bids", page));
  }

  /** Be told of price and closing while it runs, without taking part. */
  watchAuction(id: string, listener: WatchListener<Auction>): () => void {
    const key = this.at(id, DETAILS);
    const look = (signal: AbortSignal) =>
      this.api.open<Auction>({ ...this.reads(id), repeatable: false, signal });
    const wait = (auction: Auction | null) => auction?.pollAfterSeconds ?? null;
    return this.watchers.watch<Auction>(key, { name: () => key, look, wait }, listener);
  }

  /** What watchers of the auction itself were told last: the same object until they are told anew. */
  snapshotAuction(id: string): Watched<Auction> | undefined {
    return this.watchers.snapshot<Auction>(this.at(id, DETAILS));
  }
}
