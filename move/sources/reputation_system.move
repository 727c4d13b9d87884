/// How far a party can be relied on: marks that the oracle writes with the hash of their evidence, and scores
/// in which old marks fade.
///
/// A score is the weighted mean of a party's marks in one dimension and of a neutral prior; a mark's weight
/// halves every 180 days, so that a score drifts back to neutral where nothing is heard. Nothing is rewritten
/// for that: whoever reads a score computes the decay.
///
/// Weights are integers in units of 2^-64. A decay rounds down: it falls short of the real number by less
/// than one part in 2^57, and one unit. A score read after n ratings is thus within n * 2^-42 of a point of
/// the real one before it is rounded down to whole points.
///
/// A party is a commitment to an organisation or a person, as projects and verifiers carry it, and may have
/// many accounts. Only accounts of verified parties rate and are rated, a party never rates itself, and no
/// counterparty ever weighs more than a fixed amount in a score: trading in circles buys nothing.
module carbon_market::reputation_system {
    use std::string::String;
    use aptos_std::table::{Self, Table};
    use aptos_framework::event;
    use aptos_framework::timestamp;
    use carbon_market::access_control;
    use carbon_market::inputs;

    /// There is no such dimension: 1 is delivery, 2 data quality, 3 verification, 4 community.
    const E_UNKNOWN_DIMENSION: u64 = 1;
    /// Data quality is rated from readings alone, never by a counterparty.
    const E_RATED_FROM_READINGS: u64 = 2;
    /// A mark is 0 (worst) to 10,000 (best).
    const E_BAD_MARK: u64 = 3;
    /// The weight of a rating is 1 to 100.
    const E_BAD_WEIGHT: u64 = 4;
    /// A rating names its trade, review or period by 1 to 64 bytes.
    const E_BAD_REFERENCE: u64 = 5;
    /// This trade, review or period has rated the party in this dimension already.
    const E_ALREADY_RATED: u64 = 6;
    /// The account belongs to no verified party.
    const E_NOT_VERIFIED: u64 = 7;
    /// Both accounts belong to one party, and nobody rates itself.
    const E_SAME_PARTY: u64 = 8;
    /// The account belongs to this party already.
    const E_PARTY_UNCHANGED: u64 = 9;
    /// The party has no rating of this name in this dimension.
    const E_UNKNOWN_RATING: u64 = 10;

    const DELIVERY: u8 = 1;
    const DATA_QUALITY: u8 = 2;
    const COMMUNITY: u8 = 4;

    const BEST: u64 = 10000;
    /// The mark of the prior, and the score of whoever was never rated.
    const NEUTRAL: u128 = 5000;
    /// Percent of the overall score, by dimension.
    const SHARES: vector<u64> = vector[35, 30, 25, 10];

    /// The unit of what a caller calls a weight of 1.
    const ONE: u128 = 18446744073709551616;
    const MAX_WEIGHT: u64 = 100;
    /// What one counterparty weighs at most at any time, whatever the number of its ratings: 100.
    const PAIR_CAP: u128 = 1844674407370955161600;
    /// The prior weighs as much, so that one counterparty alone moves a score half the way at most.
    const PRIOR_WEIGHT: u128 = 1844674407370955161600;

    const MAX_REFERENCE_BYTES: u64 = 64;

    /// 180 days.
    const HALF_LIFE_SECONDS: u64 = 15552000;
    /// After so many half-lives nothing is left of any u128.
    const HALVINGS_TO_NOTHING: u64 = 128;
    /// What is left of 2^64 after 2^k seconds, k = 0..23, rounded down. Every number of seconds below a
    /// half-life is a sum of powers of two, so that a product of these leaves no second out.
    const LEFT_AFTER: vector<u64> = vector[
        18446743251544662195, 18446742429379809419, 18446740785050213797, 18446737496391462275,
        18446730919075718124, 18446717764451265388, 18446691455230502155, 18446638836901544458,
        18446533600693902640, 18446323130079701321, 18445902196055532051, 18445060356823359805,
        18443376793617543323, 18440010128190929246, 18433278640885098606, 18419823037322678255,
        18392941289289199261, 18339295429017618967, 18232472651481429403, 18020690136900109572,
        17604476525101167923, 16800666420289049579, 15301474939857310897, 12692491119274136772
    ];
    const LEFT_SHIFT: u8 = 64;

    struct StandingKey has copy, drop, store {
        party: vector<u8>,
        dimension: u8
    }

    struct PairKey has copy, drop, store {
        party: vector<u8>,
        counterparty: vector<u8>,
        dimension: u8
    }

    struct RatingKey has copy, drop, store {
        party: vector<u8>,
        dimension: u8,
        reference: String
    }

    /// A party's history in one dimension, as it was at `updated`.
    enum Standing has copy, drop, store {
        V1 {
            /// Sum of mark times weight.
            points: u128,
            /// Sum of the weights.
            weight: u128,
            updated: u64,
            ratings: u64,
            /// How many different parties rated it.
            counterparties: u64
        }
    }

    /// What one counterparty weighs in a standing, as it was at `updated`.
    enum Pair has copy, drop, store {
        V1 {
            weight: u128,
            updated: u64
        }
    }

    enum Rating has copy, drop, store {
        V1 {
            /// Empty where readings rated.
            counterparty: vector<u8>,
            mark: u64,
            weight: u64,
            /// What the pair's cap left of the weight.
            counted: u128,
            evidence_hash: vector<u8>,
            rated_at: u64
        }
    }

    struct Reputation has key {
        parties: Table<address, vector<u8>>,
        standings: Table<StandingKey, Standing>,
        pairs: Table<PairKey, Pair>,
        ratings: Table<RatingKey, Rating>
    }

    #[event]
    /// No bytes stand for no party.
    struct AccountPartyChanged has drop, store {
        account: address,
        party_old: vector<u8>,
        party_new: vector<u8>,
        evidence_hash: vector<u8>
    }

    #[event]
    /// Points, weights with old and new, score and counts are the standing's; old ones are those just before
    /// `rated_at`, decayed to it. `counted` and they are in units of 2^-64, `weight` is in whole ones.
    struct PartyRated has drop, store {
        party: vector<u8>,
        dimension: u64,
        reference: String,
        counterparty: vector<u8>,
        mark: u64,
        weight: u64,
        counted: u128,
        evidence_hash: vector<u8>,
        rated_at: u64,
        points_old: u128,
        points_new: u128,
        weight_old: u128,
        weight_new: u128,
        score_old: u64,
        score_new: u64,
        ratings_old: u64,
        ratings_new: u64,
        counterparties_old: u64,
        counterparties_new: u64
    }

    fun init_module(publisher: &signer) {
        move_to(
            publisher,
            Reputation {
                parties: table::new(),
                standings: table::new(),
                pairs: table::new(),
                ratings: table::new()
            }
        );
    }

    // Parties.

    /// Says that `account` is of `party`, which was verified. What the party has earned stays with it when it
    /// changes its accounts.
    public entry fun verify_account(
        oracle: &signer, account: address, party: vector<u8>, evidence_hash: vector<u8>
    ) acquires Reputation {
        access_control::assert_oracle(oracle);
        inputs::assert_hash(&party);
        inputs::assert_hash(&evidence_hash);
        let party_old = party_of(account);
        assert!(party_old != party, E_PARTY_UNCHANGED);
        let reputation = &mut Reputation[@carbon_market];
        reputation.parties.upsert(account, party);
        event::emit(AccountPartyChanged { account, party_old, party_new: party, evidence_hash });
    }

    /// The account rates and is rated no more; what was written stays.
    public entry fun withdraw_verification(
        oracle: &signer, account: address, evidence_hash: vector<u8>
    ) acquires Reputation {
        access_control::assert_oracle(oracle);
        inputs::assert_hash(&evidence_hash);
        let party_old = verified_party(account);
        let reputation = &mut Reputation[@carbon_market];
        reputation.parties.remove(account);
        event::emit(AccountPartyChanged { account, party_old, party_new: vector[], evidence_hash });
    }

    fun verified_party(account: address): vector<u8> acquires Reputation {
        let party = party_of(account);
        assert!(!party.is_empty(), E_NOT_VERIFIED);
        party
    }

    // Ratings.

    /// What the counterparty of a trade or review says of the subject, once for each trade or review.
    public entry fun rate(
        oracle: &signer,
        subject: address,
        counterparty: address,
        dimension: u8,
        reference: String,
        mark: u64,
        weight: u64,
        evidence_hash: vector<u8>
    ) acquires Reputation {
        access_control::assert_oracle(oracle);
        assert_dimension(dimension);
        assert!(dimension != DATA_QUALITY, E_RATED_FROM_READINGS);
        let party = verified_party(subject);
        let counterparty = verified_party(counterparty);
        assert!(party != counterparty, E_SAME_PARTY);
        record(party, counterparty, dimension, reference, mark, weight, evidence_hash);
    }

    /// What a period's readings say of the subject, once for each period. Sensors are no counterparty:
    /// nothing is capped or counted.
    public entry fun rate_data(
        oracle: &signer,
        subject: address,
        reference: String,
        mark: u64,
        weight: u64,
        evidence_hash: vector<u8>
    ) acquires Reputation {
        access_control::assert_oracle(oracle);
        record(verified_party(subject), vector[], DATA_QUALITY, reference, mark, weight, evidence_hash);
    }

    fun record(
        party: vector<u8>,
        counterparty: vector<u8>,
        dimension: u8,
        reference: String,
        mark: u64,
        weight: u64,
        evidence_hash: vector<u8>
    ) acquires Reputation {
        assert!(!reference.is_empty() && reference.length() <= MAX_REFERENCE_BYTES, E_BAD_REFERENCE);
        assert!(mark <= BEST, E_BAD_MARK);
        assert!(weight > 0 && weight <= MAX_WEIGHT, E_BAD_WEIGHT);
        inputs::assert_hash(&evidence_hash);
        let reputation = &mut Reputation[@carbon_market];
        let key = RatingKey { party, dimension, reference };
        assert!(!reputation.ratings.contains(key), E_ALREADY_RATED);
        let rated_at = timestamp::now_seconds();
        let asked = (weight as u128) * ONE;
        let (counted, met) =
            if (counterparty.is_empty()) {
                (asked, 0)
            } else {
                let pair = PairKey { party, counterparty, dimension };
                count_pair(&mut reputation.pairs, pair, asked, rated_at)
            };
        reputation.ratings.add(
            key, Rating::V1 { counterparty, mark, weight, counted, evidence_hash, rated_at }
        );
        let standing =
            reputation.standings.borrow_mut_with_default(StandingKey { party, dimension }, new_standing());
        let old = at(standing, rated_at);
        standing.points = old.points + counted * (mark as u128);
        standing.weight = old.weight + counted;
        standing.updated = rated_at;
        standing.ratings += 1;
        standing.counterparties += met;
        event::emit(
            PartyRated {
                party,
                dimension: dimension as u64,
                reference,
                counterparty,
                mark,
                weight,
                counted,
                evidence_hash,
                rated_at,
                points_old: old.points,
                points_new: standing.points,
                weight_old: old.weight,
                weight_new: standing.weight,
                score_old: score_of(&old),
                score_new: score_of(standing),
                ratings_old: old.ratings,
                ratings_new: standing.ratings,
                counterparties_old: old.counterparties,
                counterparties_new: standing.counterparties
            }
        );
    }

    /// (what the cap leaves of the weight, 1 if the two never met before)
    fun count_pair(
        pairs: &mut Table<PairKey, Pair>, key: PairKey, asked: u128, now: u64
    ): (u128, u64) {
        let met = if (pairs.contains(key)) 0 else 1;
        let pair = pairs.borrow_mut_with_default(key, new_pair());
        let held = decayed(pair.weight, now - pair.updated);
        let room = PAIR_CAP - held;
        let counted = if (asked < room) asked else room;
        pair.weight = held + counted;
        pair.updated = now;
        (counted, met)
    }

    fun new_pair(): Pair {
        Pair::V1 { weight: 0, updated: 0 }
    }

    fun new_standing(): Standing {
        Standing::V1 { points: 0, weight: 0, updated: 0, ratings: 0, counterparties: 0 }
    }

    fun assert_dimension(dimension: u8) {
        assert!(dimension >= DELIVERY && dimension <= COMMUNITY, E_UNKNOWN_DIMENSION);
    }

    // Scores.

    /// The standing with its sums decayed to `now`.
    fun at(standing: &Standing, now: u64): Standing {
        let elapsed = now - standing.updated;
        let aged = *standing;
        aged.points = decayed(aged.points, elapsed);
        aged.weight = decayed(aged.weight, elapsed);
        aged
    }

    /// Mean of the marks and the prior, rounded down.
    fun score_of(standing: &Standing): u64 {
        ((standing.points + PRIOR_WEIGHT * NEUTRAL) / (standing.weight + PRIOR_WEIGHT)) as u64
    }

    /// `amount` times 2^-(elapsed / half-life), rounded down.
    fun decayed(amount: u128, elapsed: u64): u128 {
        let halvings = elapsed / HALF_LIFE_SECONDS;
        if (halvings >= HALVINGS_TO_NOTHING) return 0;
        let rest = elapsed % HALF_LIFE_SECONDS;
        let table = LEFT_AFTER;
        let left = ONE;
        let k = 0;
        while (rest > 0) {
            if (rest & 1 == 1) {
                left = (left * (table[k] as u128)) >> LEFT_SHIFT;
            };
            rest >>= 1;
            k += 1;
        };
        (((amount as u256) * (left as u256)) >> (LEFT_SHIFT + (halvings as u8))) as u128
    }

    fun standing_now(party: vector<u8>, dimension: u8): Standing acquires Reputation {
        assert_dimension(dimension);
        let key = StandingKey { party, dimension };
        at(
            Reputation[@carbon_market].standings.borrow_with_default(key, &new_standing()),
            timestamp::now_seconds()
        )
    }

    // Views.

    #[view]
    /// The verified party that the account belongs to; no bytes when there is none.
    public fun party_of(account: address): vector<u8> acquires Reputation {
        *Reputation[@carbon_market].parties.borrow_with_default(account, &vector[])
    }

    #[view]
    /// The party's score now, 0 (worst) to 10,000 (best); 5,000 when it was never rated.
    public fun score(party: vector<u8>, dimension: u8): u64 acquires Reputation {
        score_of(&standing_now(party, dimension))
    }

    #[view]
    /// The mean of the four scores now: 35 % delivery, 30 % data quality, 25 % verification, 10 % community.
    public fun overall(party: vector<u8>): u64 acquires Reputation {
        let sum = 0;
        let shares = SHARES;
        for (dimension in DELIVERY..(COMMUNITY + 1)) {
            sum += score(party, dimension) * shares[(dimension - DELIVERY) as u64];
        };
        sum / 100
    }

    #[view]
    /// (points now, weight now, ratings, different counterparties, unix time of the last rating or 0); points
    /// and weight in units of 2^-64.
    public fun standing(party: vector<u8>, dimension: u8): (u128, u128, u64, u64, u64) acquires Reputation {
        let found = standing_now(party, dimension);
        (found.points, found.weight, found.ratings, found.counterparties, found.updated)
    }

    #[view]
    /// What the counterparty weighs in the party's score now, in units of 2^-64.
    public fun pair_weight(
        party: vector<u8>, counterparty: vector<u8>, dimension: u8
    ): u128 acquires Reputation {
        assert_dimension(dimension);
        let key = PairKey { party, counterparty, dimension };
        let pair = *Reputation[@carbon_market].pairs.borrow_with_default(key, &new_pair());
        decayed(pair.weight, timestamp::now_seconds() - pair.updated)
    }

    #[view]
    /// Whether this trade, review or period has rated the party in this dimension.
    public fun is_rated(party: vector<u8>, dimension: u8, reference: String): bool acquires Reputation {
        assert_dimension(dimension);
        Reputation[@carbon_market].ratings.contains(RatingKey { party, dimension, reference })
    }

    #[view]
    /// (counterparty, mark, weight, what of it counted in units of 2^-64, hash of the evidence, unix time)
    public fun rating(
        party: vector<u8>, dimension: u8, reference: String
    ): (vector<u8>, u64, u64, u128, vector<u8>, u64) acquires Reputation {
        assert!(is_rated(party, dimension, reference), E_UNKNOWN_RATING);
        let found = Reputation[@carbon_market].ratings.borrow(RatingKey { party, dimension, reference });
        (
            found.counterparty,
            found.mark,
            found.weight,
            found.counted,
            found.evidence_hash,
            found.rated_at
        )
    }

    #[test_only]
    public fun init_for_test(publisher: &signer) {
        init_module(publisher);
    }
}
