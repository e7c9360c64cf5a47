// Made by `npm run types` from the API's own description. Not to be edited.
/* eslint-disable */
export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description By id, how the consumer stands; `admissions` are those of all kinds that are open to them now. */
        Active: {
            experiences: {
                [key: string]: components["schemas"]["VisitStatus"];
            };
            queues: {
                [key: string]: components["schemas"]["QueueStatus"];
            };
            draws: {
                [key: string]: components["schemas"]["DrawStatus"];
            };
            auctions: {
                [key: string]: components["schemas"]["AuctionStatus"];
            };
            timedReleases: {
                [key: string]: components["schemas"]["TimedReleaseStatus"];
            };
            appointments: {
                [key: string]: components["schemas"]["AppointmentStatus"];
            };
            waitlists: {
                [key: string]: components["schemas"]["WaitlistStatus"];
            };
            admissions: {
                [key: string]: components["schemas"]["AnyStatus"];
            };
        };
        /** @enum {string} */
        AlgorithmEnum: "PBKDF2/SHA-256";
        AnyStatus: components["schemas"]["QueueStatus"] | components["schemas"]["DrawStatus"] | components["schemas"]["AuctionStatus"] | components["schemas"]["TimedReleaseStatus"] | components["schemas"]["AppointmentStatus"];
        /** @description An appointment's calendar as anyone with a key sees it. */
        Appointment: {
            name: string;
            sequenceId: string;
            experienceId: string;
            /** Format: date-time */
            openAt: string | null;
            /** Format: date-time */
            closeAt: string | null;
            timeZone: string;
            supportsGuest: boolean;
            /** @description Entering costs a proof of work: see `challenge`. */
            proofOfWork?: boolean;
            /** @description From staff to those who wait; plain text. */
            message?: string;
            id: string;
            status: components["schemas"]["QueuePhase"];
            slotMinutes: number;
            /** @description Free time after each slot. */
            bufferMinutes: number;
            placesPerSlot: number;
            /** @description By weekday (mon to sun). Pairs of times of day in the appointment's zone, 24:00 at most. */
            openingHours: {
                [key: string]: string[][];
            };
            exceptions: components["schemas"]["Exception"][];
            /** @description That are still ahead. */
            maxBookingsPerConsumer: number;
            leastNoticeMinutes: number;
            furthestAheadDays: number;
            /** @description Before the start. */
            latestCancellationMinutes: number;
            location: components["schemas"]["Location"] | null;
        };
        /**
         * @description A DistributionStatus joined with its booking: the one just made, or else the next one ahead.
         *
         *     Without a booking's fields where the consumer was turned away at the door.
         */
        AppointmentStatus: {
            bookingId?: string;
            confirmationCode?: string;
            slotId?: string;
            /** Format: date-time */
            startTime?: string;
            /** Format: date-time */
            endTime?: string;
            timeZone?: string;
            status: components["schemas"]["ParticipationStatus"];
            consumerId: string;
            /** Format: date-time */
            enteredAt: string;
            /** Format: date-time */
            admittedAt?: string;
            /** Format: date-time */
            completedAt?: string;
            /**
             * Format: date-time
             * @description When the admission ends.
             */
            expiresAt?: string;
            /** @description Why, when DENIED: a code, or the shop's own words. */
            denyReason?: string;
            /** @description A signed JWT, for the consumer it belongs to, when ADMITTED. */
            admissionToken?: string;
            /** @description When asking again makes sense, when QUEUED. */
            pollAfterSeconds?: number;
            /** @description From staff, when QUEUED or ADMITTED; plain text. */
            message?: string;
            /** @description When DENIED because there was nothing for them: where to go on. */
            next?: components["schemas"]["Next"];
            appointmentId: string;
            /** @description All that are ahead, the next one first; not when booking. */
            bookings?: components["schemas"]["BookingOfSeveral"][];
        };
        /** @description An auction as anyone with a key sees it; `closeAt` is the closing as extended. */
        Auction: {
            name: string;
            sequenceId: string;
            experienceId: string;
            /** Format: date-time */
            openAt: string | null;
            /** Format: date-time */
            closeAt: string | null;
            timeZone: string;
            supportsGuest: boolean;
            /** @description Entering costs a proof of work: see `challenge`. */
            proofOfWork?: boolean;
            /** @description From staff to those who wait; plain text. */
            message?: string;
            id: string;
            status: components["schemas"]["AuctionPhase"];
            /** @description ISO 4217; it says how many decimals amounts have. */
            currencyCode: string;
            startingPrice: string;
            minimumBidIncrement: string;
            /** @description Larger steps at higher prices. */
            incrementTable: components["schemas"]["Increment"][];
            /** @description True where there is no reserve. */
            reserveMet: boolean;
            /** @description Where staff show it. */
            reservePrice?: string;
            /** @description Null: none, or bids have passed it. */
            buyNowPrice: string | null;
            /** @description The highest bidders, each at their own bid. */
            winnerCount: number;
            currentHighBid: string | null;
            /** @description Null once it is over. */
            minimumNextBid: string | null;
            /** @description Bids that count; raises of a maximum are none. */
            bidCount: number;
            extensionWindowSeconds: number | null;
            extensionSeconds: number | null;
            /** @description Null: no limit. */
            extensionsLeft: number | null;
            /**
             * Format: date-time
             * @description No bid moves the closing beyond.
             */
            hardEndAt: string | null;
            /**
             * Format: date-time
             * @description Null: at closing.
             */
            settleAt: string | null;
            /** @description To complete; null: no limit. */
            claimSeconds: number | null;
            /** @description Whether what is not completed goes to the next. */
            secondChance: boolean;
            /** Format: date-time */
            settledAt?: string;
            /**
             * Format: date-time
             * @description All bids are void.
             */
            cancelledAt?: string;
            /** @description While it runs. */
            pollAfterSeconds?: number;
        };
        /** @enum {string} */
        AuctionPhase: "PENDING" | "OPEN" | "CLOSED" | "SETTLED";
        /** @description A DistributionStatus with what an auction adds. */
        AuctionStatus: {
            status: components["schemas"]["ParticipationStatus"];
            consumerId: string;
            /** Format: date-time */
            enteredAt: string;
            /** Format: date-time */
            admittedAt?: string;
            /** Format: date-time */
            completedAt?: string;
            /**
             * Format: date-time
             * @description When the admission ends.
             */
            expiresAt?: string;
            /** @description Why, when DENIED: a code, or the shop's own words. */
            denyReason?: string;
            /** @description A signed JWT, for the consumer it belongs to, when ADMITTED. */
            admissionToken?: string;
            /** @description When asking again makes sense, when QUEUED. */
            pollAfterSeconds?: number;
            /** @description From staff, when QUEUED or ADMITTED; plain text. */
            message?: string;
            /** @description When DENIED because there was nothing for them: where to go on. */
            next?: components["schemas"]["Next"];
            auctionId: string;
            /** @description ACTIVE: the best so far, but below the reserve. LOST: also what was not completed. */
            bidStatus?: components["schemas"]["BidStatus"];
            currencyCode?: string;
            /** @description The last amount that was named. */
            lastBidAmount?: string;
            /** Format: date-time */
            lastBidTime?: string;
            /** @description Own bids that count. */
            bidCount?: number;
            /** @description Own, as the proxy has raised it, while winning. */
            currentBid?: string;
            currentHighBid?: string;
            minimumNextBid?: string;
            /** @description What to pay, when WON. */
            winningAmount?: string;
        };
        /** @description Whether a token admits, and what there is to pay. */
        AuctionVerdict: {
            valid: boolean;
            consumerId?: string;
            /** Format: date-time */
            admittedAt?: string;
            /** Format: date-time */
            expiresAt?: string;
            code?: components["schemas"]["VerdictCode"];
            message?: string;
            amount?: string;
            currencyCode?: string;
        };
        /** @description The body of an external authorization. */
        AuthorizeRequest: {
            /** @description Which of the shop's systems names the customer. */
            provider: string;
            /** @description Who vouches for the subject, such as https://shop.example.com. */
            issuer: string;
            /** @description The customer's number there. */
            subject: string;
            /** @description email, emailVerified, phone, phoneVerified, name; they fill what is empty. 10,000 bytes. */
            claims?: {
                [key: string]: unknown;
            };
        };
        /** @description A code for the customer's browser. */
        Authorized: {
            exchangeCode: string;
            /** Format: date-time */
            expiresAt: string;
            resolution: components["schemas"]["ResolutionEnum"];
        };
        /** @description The round of a public beacon, and its value once it was fetched and checked. */
        Beacon: {
            source: components["schemas"]["SourceEnum"];
            chain: string;
            round: number;
            /**
             * Format: date-time
             * @description When the round is due.
             */
            roundAt: string;
            signature?: string;
            /** @description SHA-256 of the signature. */
            randomness?: string;
        };
        /** @enum {string} */
        BidKind: "BID" | "RAISE" | "BUY_NOW";
        /** @description The body of a bid. */
        BidRequest: {
            /** @description What is bid, such as "150.00". */
            amount: string | number;
            /** @description A proxy bids on up to this, just as far as needed. Nobody is shown it. Who is winning may raise it, with an amount that they have bid before. */
            maxAmount?: string | number | null;
        };
        /** @enum {string} */
        BidState: "VALID" | "VOID" | "REFUSED";
        /** @enum {string} */
        BidStatus: "ACTIVE" | "OUTBID" | "WINNING" | "WON" | "LOST";
        /** @description The body of a booking: which slot, by its id or by when it starts. */
        BookRequest: {
            slotId?: string;
            /** @description ISO 8601, with Z or an offset. */
            slotTime?: string;
            /** @description Anything the shop wants kept; at most 2 KiB. */
            metadata?: {
                [key: string]: unknown;
            };
        };
        /** @description One of the bookings that are ahead. */
        BookingOfSeveral: {
            bookingId?: string;
            confirmationCode?: string;
            slotId?: string;
            /** Format: date-time */
            startTime?: string;
            /** Format: date-time */
            endTime?: string;
            timeZone?: string;
            status: components["schemas"]["ParticipationStatus"];
        };
        /** @description A verdict, and for when the booking is. */
        BookingVerdict: {
            valid: boolean;
            consumerId?: string;
            /** Format: date-time */
            admittedAt?: string;
            /** Format: date-time */
            expiresAt?: string;
            code?: components["schemas"]["VerdictCode"];
            message?: string;
            bookingId?: string;
            /** Format: date-time */
            startTime?: string;
            /** Format: date-time */
            endTime?: string;
        };
        /** @description A booking that was given up. */
        Cancelled: {
            bookingId: string;
            status: components["schemas"]["SlotBookingState"];
            /** Format: date-time */
            cancelledAt: string;
        };
        /** @description A challenge as altcha's widget and libraries take it; their payload goes into `X-Altcha`. */
        Challenge: {
            parameters: components["schemas"]["Parameters"];
            signature: string;
        };
        /** @description The body of a check-in; of several bookings the one that is now or nearest to now, unless said. */
        CompleteBookingRequest: {
            consumerId: string;
            orderId?: string;
            bookingId?: string;
        };
        /** @description The body of a completion. */
        CompleteRequest: {
            consumerId: string;
            orderId?: string;
        };
        /** @enum {string} */
        Condition: "authentication" | "access_code" | "audience";
        /** @description A consumer as the shop's server sees them. */
        Consumer: {
            id: string;
            email: string | null;
            /** @description E.164. */
            phone: string | null;
            fullName: string | null;
            isGuest: boolean;
            /** Format: date-time */
            createdAt: string;
            externalIds: components["schemas"]["Identity"][];
        };
        /** @description The body of a move by secret key. */
        ConsumerRequest: {
            consumerId: string;
        };
        /** @enum {string} */
        ContainerStyleEnum: "card" | "full" | "plain";
        /** @description The body of a denial; which booking as in a check-in. */
        DenyBookingRequest: {
            consumerId: string;
            /** @description A code of the contract, or the shop's own words. */
            reason: string;
            bookingId?: string;
        };
        /** @description The body of a denial. */
        DenyRequest: {
            consumerId: string;
            /** @description A code of the contract, or the shop's own words. */
            reason: string;
        };
        /** @description A draw as anyone with a key sees it. */
        Draw: {
            name: string;
            sequenceId: string;
            experienceId: string;
            /** Format: date-time */
            openAt: string | null;
            /** Format: date-time */
            closeAt: string | null;
            timeZone: string;
            supportsGuest: boolean;
            /** @description Entering costs a proof of work: see `challenge`. */
            proofOfWork?: boolean;
            /** @description From staff to those who wait; plain text. */
            message?: string;
            id: string;
            status: components["schemas"]["DrawPhase"];
            /** Format: date-time */
            drawAt: string;
            winnerCount: number;
            /** @description Entries at most; null: any number. */
            capacity: number | null;
            entrantCount: number;
            /** @description To claim a place; null: no limit. */
            claimSeconds: number | null;
            /** @description Whether what is not claimed goes to the next. */
            alternates: boolean;
            /**
             * Format: date-time
             * @description No place is passed on from then on.
             */
            endAt: string | null;
            /** @description Declared bias; every other entry has the weight 1. */
            weights: components["schemas"]["Weight"][];
            /** @description SHA-256 of the seed, public before anybody enters. */
            commitment: string;
            verification: components["schemas"]["Verification"];
        };
        /** @enum {string} */
        DrawPhase: "PENDING" | "OPEN" | "CLOSED" | "DRAWN";
        /** @enum {string} */
        DrawResult: "ENTERED" | "WON" | "LOST";
        /** @description A DistributionStatus with what a draw adds. */
        DrawStatus: {
            status: components["schemas"]["ParticipationStatus"];
            consumerId: string;
            /** Format: date-time */
            enteredAt: string;
            /** Format: date-time */
            admittedAt?: string;
            /** Format: date-time */
            completedAt?: string;
            /**
             * Format: date-time
             * @description When the admission ends.
             */
            expiresAt?: string;
            /** @description Why, when DENIED: a code, or the shop's own words. */
            denyReason?: string;
            /** @description A signed JWT, for the consumer it belongs to, when ADMITTED. */
            admissionToken?: string;
            /** @description When asking again makes sense, when QUEUED. */
            pollAfterSeconds?: number;
            /** @description From staff, when QUEUED or ADMITTED; plain text. */
            message?: string;
            /** @description When DENIED because there was nothing for them: where to go on. */
            next?: components["schemas"]["Next"];
            drawId: string;
            /** @description ENTERED also while one waits as an alternate, who may still get a place. */
            drawStatus?: components["schemas"]["DrawResult"];
            entryNumber?: number;
            receipt?: components["schemas"]["Receipt"];
        };
        /** @enum {string} */
        DrawingStage: "COMMITTED" | "FROZEN" | "WAITING_FOR_BEACON" | "DRAWN" | "CANCELLED";
        /** @description The body of an entry. */
        EnterExperienceRequest: {
            accessCode?: string;
        };
        /** @description The body of an entry. */
        EnterRequest: {
            /** @description Anything the shop wants kept; at most 2 KiB. */
            metadata?: {
                [key: string]: unknown;
            };
        };
        /** @description A page of the frozen list. */
        Entries: {
            first: number;
            /** @description From number `first` on: weight and mark, or 0 and why the entry was removed. */
            data: string[];
            nextCursor: string | null;
        };
        /** @description The entry: a DistributionStatus with what names it. */
        Entry: {
            status: components["schemas"]["ParticipationStatus"];
            consumerId: string;
            /** Format: date-time */
            enteredAt: string;
            /** Format: date-time */
            admittedAt?: string;
            /** Format: date-time */
            completedAt?: string;
            /**
             * Format: date-time
             * @description When the admission ends.
             */
            expiresAt?: string;
            /** @description Why, when DENIED: a code, or the shop's own words. */
            denyReason?: string;
            /** @description A signed JWT, for the consumer it belongs to, when ADMITTED. */
            admissionToken?: string;
            /** @description When asking again makes sense, when QUEUED. */
            pollAfterSeconds?: number;
            /** @description From staff, when QUEUED or ADMITTED; plain text. */
            message?: string;
            /** @description When DENIED because there was nothing for them: where to go on. */
            next?: components["schemas"]["Next"];
            waitlistId: string;
            /** @description Whether the consumer waits here. */
            isEntered: boolean;
            /**
             * Format: date-time
             * @description When there was news last.
             */
            notifiedAt?: string;
            /**
             * Format: date-time
             * @description Until when the code that was sent is good.
             */
            offerExpiresAt?: string;
            /** @description Names the entry. */
            id: string;
            sequenceId: string;
        };
        /** @description A day with hours of its own; none: it is closed. */
        Exception: {
            /** Format: date */
            date: string;
            /** @description Pairs of times of day in the appointment's zone, 24:00 at most. */
            hours: string[][];
        };
        /** @description The body of an exchange. */
        ExchangeRequest: {
            exchangeCode: string;
        };
        /** @description One launch, whole. */
        Experience: {
            id: string;
            name: string;
            description: string;
            /** Format: date-time */
            openAt: string | null;
            /** Format: date-time */
            closeAt: string | null;
            timeZone: string | null;
            theme: components["schemas"]["Theme"] | null;
            sequences: components["schemas"]["Sequence"][];
        };
        /** @enum {string} */
        FrozenByEnum: "schedule" | "staff";
        /** @description Entries of one weight. */
        Group: {
            weight: number;
            entries: number;
            /**
             * Format: double
             * @description The chance of each of them to be among the winners.
             */
            odds: number;
        };
        /** @description The price, and who is at it by the pseudonym of this auction; null before the first bid. */
        HighestBid: {
            amount: string | null;
            bidder: string | null;
            /** Format: date-time */
            at: string | null;
            minimumNextBid: string | null;
        };
        /** @description A name that the shop's server gave. */
        Identity: {
            provider: string;
            issuer: string;
            subject: string;
        };
        /** @description From which price bids rise by how much. */
        Increment: {
            from: string;
            increment: string;
        };
        /** @description Whether there was anything to leave. */
        Left: {
            left: boolean;
        };
        /** @description A DistributionStatus, LEFT. */
        LeftEntry: {
            status: components["schemas"]["ParticipationStatus"];
            consumerId: string;
            /** Format: date-time */
            enteredAt: string;
            /** Format: date-time */
            admittedAt?: string;
            /** Format: date-time */
            completedAt?: string;
            /**
             * Format: date-time
             * @description When the admission ends.
             */
            expiresAt?: string;
            /** @description Why, when DENIED: a code, or the shop's own words. */
            denyReason?: string;
            /** @description A signed JWT, for the consumer it belongs to, when ADMITTED. */
            admissionToken?: string;
            /** @description When asking again makes sense, when QUEUED. */
            pollAfterSeconds?: number;
            /** @description From staff, when QUEUED or ADMITTED; plain text. */
            message?: string;
            /** @description When DENIED because there was nothing for them: where to go on. */
            next?: components["schemas"]["Next"];
            waitlistId: string;
            /** @description Whether the consumer waits here. */
            isEntered: boolean;
        };
        /** @description Where it takes place. */
        Location: {
            name: string;
            address?: string;
        };
        /** @description The consumer who asks, with all they take part in. */
        Me: {
            id: string;
            email: string | null;
            /** @description E.164. */
            phone: string | null;
            fullName: string | null;
            isGuest: boolean;
            /** Format: date-time */
            createdAt: string;
            active: components["schemas"]["Active"];
        };
        /** @enum {string} */
        ModeEnum: "notify" | "offer";
        /** @description Where to go on when there is nothing here. */
        Next: {
            /** @description Into a queue losers of a draw go by themselves. */
            kind: components["schemas"]["NextKindEnum"];
            id: string;
        };
        /** @enum {string} */
        NextKindEnum: "queue" | "sequence" | "waitlist";
        /** @enum {string} */
        OfferOutcomeEnum: "CLAIMED" | "LAPSED";
        /** @description The tenant's public settings. */
        Organization: {
            id: string;
            name: string;
            slug: string;
            logoUrl: string | null;
            timeZone: string;
            currencyCode: string;
            languageCode: string;
            theme: components["schemas"]["Theme"] | null;
            allowedOrigins: string[];
        };
        /** @description One bid as its bidder sees it. */
        OwnBid: {
            id: string;
            kind: components["schemas"]["BidKind"];
            state: components["schemas"]["BidState"];
            amount: string;
            /** Format: date-time */
            at: string;
            /** @description The price as the bid left it; null of a void one. */
            currentHighBid: string | null;
            /** @description Why it was refused. */
            reason?: string;
        };
        /** @description A page, newest first. */
        OwnBids: {
            data: components["schemas"]["OwnBid"][];
            nextCursor: string | null;
        };
        /**
         * @description What is to be found: a counter for which PBKDF2 of `nonce` and counter, `cost` rounds long, begins with
         *     `keyPrefix`.
         */
        Parameters: {
            algorithm: components["schemas"]["AlgorithmEnum"];
            cost: number;
            keyLength: number;
            keyPrefix: string;
            nonce: string;
            salt: string;
            /** @description Unix seconds. */
            expiresAt: number;
            data: {
                [key: string]: string;
            };
        };
        /** @enum {string} */
        ParticipationStatus: "QUEUED" | "ADMITTED" | "COMPLETED" | "DENIED" | "LEFT";
        /** @description An entry that was removed after the freeze, and so got no place. */
        PassedOver: {
            number: number;
            reason: string;
        };
        /** @description All that a third party needs to repeat a drawing; what is not known yet is left out. */
        Proof: {
            version: number;
            kind: components["schemas"]["ProofKindEnum"];
            id: string;
            level: components["schemas"]["ProofLevel"];
            status: components["schemas"]["DrawingStage"];
            /** @description SHA-256 of the seed. */
            commitment: string;
            winnerCount?: number;
            beacon?: components["schemas"]["Beacon"];
            /** Format: date-time */
            frozenAt?: string;
            frozenBy?: components["schemas"]["FrozenByEnum"];
            /** @description Of the Merkle tree over the entries. */
            root?: string;
            numbersGiven?: number;
            entryCount?: number;
            removedBeforeDraw?: components["schemas"]["Removed"];
            groups?: components["schemas"]["Group"][];
            /** Format: date-time */
            drawnAt?: string;
            seed?: string;
            drawKey?: string;
            winners?: components["schemas"]["Ranked"][];
            alternates?: components["schemas"]["Ranked"][];
            placesOffered?: number;
            passedOver?: components["schemas"]["PassedOver"][];
            entries?: components["schemas"]["Entries"];
        };
        /** @enum {string} */
        ProofKindEnum: "draw" | "queue";
        /** @enum {string} */
        ProofLevel: "commit-reveal" | "beacon";
        /** @description One bid as everybody sees it; raises of a maximum are nobody's business. */
        PublicBid: {
            id: string;
            /** @description The pseudonym in this auction. */
            bidder: string;
            isOwn: boolean;
            kind: components["schemas"]["PublicBidKindEnum"];
            state: components["schemas"]["PublicBidStateEnum"];
            amount: string;
            /** Format: date-time */
            at: string;
            /** @description The price as the bid left it; null of a void one. */
            currentHighBid: string | null;
        };
        /** @enum {string} */
        PublicBidKindEnum: "BID" | "BUY_NOW";
        /** @enum {string} */
        PublicBidStateEnum: "VALID" | "VOID";
        /** @description A page, newest first. */
        PublicBids: {
            data: components["schemas"]["PublicBid"][];
            nextCursor: string | null;
        };
        /** @description A queue as anyone with a key sees it. */
        Queue: {
            name: string;
            sequenceId: string;
            experienceId: string;
            /** Format: date-time */
            openAt: string | null;
            /** Format: date-time */
            closeAt: string | null;
            timeZone: string;
            supportsGuest: boolean;
            /** @description Entering costs a proof of work: see `challenge`. */
            proofOfWork?: boolean;
            /** @description From staff to those who wait; plain text. */
            message?: string;
            id: string;
            status: components["schemas"]["QueuePhase"];
            /** @description People in line at most; null: any number. */
            capacity: number | null;
            /** @description A minute; null: by hand. */
            admissionRate: number | null;
            /** @description People in line. */
            consumerCount: number;
            /**
             * Format: date-time
             * @description Where one may come in before it opens: from when on.
             */
            enterFrom?: string;
            shuffle?: components["schemas"]["Shuffle"];
        };
        /** @enum {string} */
        QueuePhase: "PENDING" | "OPEN" | "PAUSED" | "CLOSED";
        /** @description A DistributionStatus with what a queue adds. */
        QueueStatus: {
            status: components["schemas"]["ParticipationStatus"];
            consumerId: string;
            /** Format: date-time */
            enteredAt: string;
            /** Format: date-time */
            admittedAt?: string;
            /** Format: date-time */
            completedAt?: string;
            /**
             * Format: date-time
             * @description When the admission ends.
             */
            expiresAt?: string;
            /** @description Why, when DENIED: a code, or the shop's own words. */
            denyReason?: string;
            /** @description A signed JWT, for the consumer it belongs to, when ADMITTED. */
            admissionToken?: string;
            /** @description When asking again makes sense, when QUEUED. */
            pollAfterSeconds?: number;
            /** @description From staff, when QUEUED or ADMITTED; plain text. */
            message?: string;
            /** @description When DENIED because there was nothing for them: where to go on. */
            next?: components["schemas"]["Next"];
            queueId: string;
            /** @description From 1 when QUEUED; 0 once ADMITTED. */
            position?: number;
            /** @description In a queue with a rate; null while nobody can tell. */
            estimatedWaitTimeInSeconds?: number | null;
            /** @description In a pre-queue whose order is to be drawn. */
            receipt?: components["schemas"]["Receipt"];
        };
        /** @description An entry in the drawn order. */
        Ranked: {
            number: number;
            rank: string;
        };
        /** @description The body of a rebooking: which slot, instead of which booking; the only one ahead, unless said. */
        RebookRequest: {
            slotId?: string;
            /** @description ISO 8601, with Z or an offset. */
            slotTime?: string;
            /** @description Anything the shop wants kept; at most 2 KiB. */
            metadata?: {
                [key: string]: unknown;
            };
            bookingId?: string;
        };
        /** @description What shows that an entry was in the list; `token` is the same, signed by the server's key. */
        Receipt: {
            entryNumber: number;
            /** @description Tells nobody who you are; keep it. */
            entryId: string;
            weight: number;
            leaf: string;
            /** @description A JWT, `typ` receipt+jwt, checked by the JWKS. */
            token: string;
        };
        /** @description The body of a refresh. */
        RefreshRequest: {
            refreshToken: string;
        };
        /** @description Entries that are in the list no more. */
        Removed: {
            count: number;
            reasons: {
                [key: string]: number;
            };
        };
        /** @description The body of a request for a code. */
        RequestRequest: {
            email?: string;
            /** @description E.164, or as dialled in defaultCountry. */
            phone?: string;
            /** @description ISO 3166, such as DE: where a number without + is dialled. */
            defaultCountry?: string;
            /** @description Fills an empty profile. */
            name?: string;
        };
        /** @description What is said of every address, known or not. */
        Requested: {
            ok: boolean;
            expiresInSeconds: number;
            resendInSeconds: number;
        };
        /** @enum {string} */
        ResolutionEnum: "created" | "existing";
        /** @description Who may come in by which way, and what is behind it. */
        Sequence: {
            id: string;
            name: string;
            color: string | null;
            priority: number;
            requires: components["schemas"]["Condition"][];
            /** @description Where to go on when this one has nothing left. */
            next: string | null;
            waitlist: components["schemas"]["Waitlist"] | null;
            queues: components["schemas"]["Queue"][];
            draws: components["schemas"]["Draw"][];
            auctions: components["schemas"]["Auction"][];
            appointments: components["schemas"]["Appointment"][];
            timedReleases: components["schemas"]["TimedRelease"][];
        };
        /** @description Who is signed in, and until when at most. */
        Session: {
            type: components["schemas"]["SessionType"];
            consumerId: string;
            guestId?: string;
            email?: string;
            /** @description E.164. */
            phone?: string;
            /** Format: date-time */
            expiresAt: string;
        };
        /** @enum {string} */
        SessionType: "guest" | "authenticated";
        /** @description The pre-queue's draw: the commitment before, the seed and the frozen list's root after. */
        Shuffle: {
            /** @description SHA-256 of the seed. */
            commitment: string;
            /** Format: date-time */
            drawnAt?: string;
            seed?: string;
            root?: string;
        };
        /** @description A time that can be booked while it has places. */
        Slot: {
            id: string;
            /** Format: date-time */
            startTime: string;
            /** Format: date-time */
            endTime: string;
            capacity: number;
            /** @description Places left now. */
            available: number;
        };
        /** @enum {string} */
        SlotBookingState: "CANCELLED";
        /** @description The slots of some days, in order; blocked ones and those of the past are not there. */
        Slots: {
            appointmentId: string;
            /** @description Of the days that were asked for. */
            timeZone: string;
            slots: components["schemas"]["Slot"][];
        };
        /** @enum {string} */
        SourceEnum: "drand";
        /** @description How pages look; what is not set is not there. */
        Theme: {
            primaryColor?: string;
            secondaryColor?: string;
            backgroundColor?: string;
            textColor?: string;
            accentColor?: string;
            logoUrl?: string;
            headerImageUrl?: string;
            backgroundImageUrl?: string;
            faviconUrl?: string;
            fontFamily?: string;
            containerStyle?: components["schemas"]["ContainerStyleEnum"];
            borderRadius?: string;
        };
        /** @description A timed release as anyone with a key sees it. */
        TimedRelease: {
            name: string;
            sequenceId: string;
            experienceId: string;
            /** Format: date-time */
            openAt: string | null;
            /** Format: date-time */
            closeAt: string | null;
            timeZone: string;
            supportsGuest: boolean;
            /** @description Entering costs a proof of work: see `challenge`. */
            proofOfWork?: boolean;
            /** @description From staff to those who wait; plain text. */
            message?: string;
            id: string;
            status: components["schemas"]["QueuePhase"];
            /** @description Units in all; null: any number. */
            inventory: number | null;
            /** @description Units left now; null: any number. */
            available: number | null;
            /** @description After which an unused unit comes back; null: never. */
            claimSeconds: number | null;
            /** @description One after the other. */
            maxPerConsumer: number;
        };
        /** @description A DistributionStatus; a timed release adds nothing but its id. */
        TimedReleaseStatus: {
            status: components["schemas"]["ParticipationStatus"];
            consumerId: string;
            /** Format: date-time */
            enteredAt: string;
            /** Format: date-time */
            admittedAt?: string;
            /** Format: date-time */
            completedAt?: string;
            /**
             * Format: date-time
             * @description When the admission ends.
             */
            expiresAt?: string;
            /** @description Why, when DENIED: a code, or the shop's own words. */
            denyReason?: string;
            /** @description A signed JWT, for the consumer it belongs to, when ADMITTED. */
            admissionToken?: string;
            /** @description When asking again makes sense, when QUEUED. */
            pollAfterSeconds?: number;
            /** @description From staff, when QUEUED or ADMITTED; plain text. */
            message?: string;
            /** @description When DENIED because there was nothing for them: where to go on. */
            next?: components["schemas"]["Next"];
            timedReleaseId: string;
        };
        /** @description A session with its tokens. */
        Tokens: {
            session: components["schemas"]["Session"];
            accessToken: string;
            /** Format: date-time */
            accessTokenExpiresAt: string;
            refreshToken: string;
        };
        /** @description The body of a validation. */
        ValidateRequest: {
            consumerId: string;
            token: string;
        };
        /** @description Whether a token admits; `code` and `message` say why not. */
        Verdict: {
            valid: boolean;
            consumerId?: string;
            /** Format: date-time */
            admittedAt?: string;
            /** Format: date-time */
            expiresAt?: string;
            code?: components["schemas"]["VerdictCode"];
            message?: string;
        };
        /** @enum {string} */
        VerdictCode: "TOKEN_INVALID" | "TOKEN_EXPIRED" | "TOKEN_USED" | "CONSUMER_MISMATCH" | "NOT_ADMITTED" | "WRONG_DISTRIBUTION";
        /** @description What anyone needs to know before they ask for the proof. */
        Verification: {
            level: components["schemas"]["ProofLevel"];
            status: components["schemas"]["DrawingStage"];
            beacon?: components["schemas"]["Beacon"];
            /** Format: date-time */
            frozenAt?: string;
            entryCount?: number;
            root?: string;
            /** Format: date-time */
            drawnAt?: string;
            seed?: string;
        };
        /** @description The body of a sign-in by code. */
        VerifyRequest: {
            email?: string;
            /** @description E.164, or as dialled in defaultCountry. */
            phone?: string;
            /** @description ISO 3166, such as DE: where a number without + is dialled. */
            defaultCountry?: string;
            /** @description Six digits. */
            code: string;
        };
        /** @description A consumer in an experience, by the sequence that is open to them. */
        Visit: {
            experienceId: string;
            /** Format: date-time */
            enteredAt: string;
            sequenceId: string;
            experience: components["schemas"]["Experience"];
        };
        /** @description A consumer in an experience. */
        VisitStatus: {
            experienceId: string;
            sequenceId: string;
            /** Format: date-time */
            enteredAt: string;
        };
        /** @description A waitlist as anyone with a key sees it. */
        Waitlist: {
            name: string;
            sequenceId: string;
            experienceId: string;
            /** Format: date-time */
            openAt: string | null;
            /** Format: date-time */
            closeAt: string | null;
            timeZone: string;
            supportsGuest: boolean;
            /** @description Entering costs a proof of work: see `challenge`. */
            proofOfWork?: boolean;
            /** @description From staff to those who wait; plain text. */
            message?: string;
            id: string;
            status: components["schemas"]["QueuePhase"];
            /** @description Entries at most; null: any number. */
            capacity: number | null;
            /** @description offer: free places are offered in order. */
            mode: components["schemas"]["ModeEnum"];
            /** @description Who waits. */
            consumerCount: number;
        };
        /** @description Whether the consumer waits here; the fields of a DistributionStatus are there if they do. */
        WaitlistStatus: {
            status?: components["schemas"]["ParticipationStatus"];
            consumerId?: string;
            /** Format: date-time */
            enteredAt?: string;
            /** Format: date-time */
            admittedAt?: string;
            /** Format: date-time */
            completedAt?: string;
            /**
             * Format: date-time
             * @description When the admission ends.
             */
            expiresAt?: string;
            /** @description Why, when DENIED: a code, or the shop's own words. */
            denyReason?: string;
            /** @description A signed JWT, for the consumer it belongs to, when ADMITTED. */
            admissionToken?: string;
            /** @description When asking again makes sense, when QUEUED. */
            pollAfterSeconds?: number;
            /** @description From staff, when QUEUED or ADMITTED; plain text. */
            message?: string;
            /** @description When DENIED because there was nothing for them: where to go on. */
            next?: components["schemas"]["Next"];
            waitlistId: string;
            /** @description Whether the consumer waits here. */
            isEntered: boolean;
            /**
             * Format: date-time
             * @description When there was news last.
             */
            notifiedAt?: string;
            /**
             * Format: date-time
             * @description Until when the code that was sent is good.
             */
            offerExpiresAt?: string;
            /** @description What ended the waiting, where it was an offer. */
            offerOutcome?: components["schemas"]["OfferOutcomeEnum"];
        };
        /** @description How many tickets an entry has of whoever meets a sequence's conditions. */
        Weight: {
            /** @description Its slug. */
            sequence: string;
            weight: number;
        };
        /** @description Every refusal. `error` and `code` are stable; `message` explains. */
        Error: {
            error: string;
            code: string;
            message: string;
            requestId: string;
            /** @description What is wrong with which field. */
            details?: {
                field: string;
                message: string;
            }[];
            /** @description As the header Retry-After. */
            retryAfter?: number;
            /**
             * Format: date-time
             * @description 423: when it opens.
             */
            openAt?: string;
            /** @description 409: the present status. */
            status?: string;
            /** @description Of a bid: the least acceptable amount. */
            minimumNextBid?: string;
            /** @description Full, sold out or closed: where to go on, if there is anything. */
            next?: {
                /** @enum {string} */
                kind: "sequence" | "waitlist";
                id: string;
            };
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: {
        /** @description Names this request in logs. */
        "X-Request-Id": string;
        /** @description Requests a minute. */
        "X-RateLimit-Limit": number;
        /** @description Left of this minute. */
        "X-RateLimit-Remaining": number;
        /** @description Unix second of the next minute. */
        "X-RateLimit-Reset": number;
        /** @description Seconds until asking again makes sense. */
        "Retry-After": number;
        /** @description For If-None-Match. */
        ETag: string;
        /** @description Bearer. */
        "WWW-Authenticate": string;
        "X-Fingerprint-Error": "true";
        "X-Fingerprint-Mismatch": "true";
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
