/// What the sensors said: the root of every hour's readings, their sums by UTC day, and the periods in which
/// they are counted. Hours are for proofs, days are for issuing.
module carbon_market::data_anchor {
    use std::string::String;
    use aptos_std::table::{Self, Table};
    use aptos_framework::event;
    use aptos_framework::timestamp;
    use carbon_market::access_control;
    use carbon_market::inputs;
    use carbon_market::project_registry;

    friend carbon_market::carbon_credit;

    /// Every list has one entry for each hour, and one call anchors 1 to 48 hours.
    const E_BAD_LISTS: u64 = 1;
    /// An hour is given by its first second: unix time, a multiple of 3,600.
    const E_NOT_AN_HOUR: u64 = 2;
    /// The hour has not begun.
    const E_HOUR_IN_FUTURE: u64 = 3;
    /// This part of the hour is anchored already; late readings are the next part.
    const E_ALREADY_ANCHORED: u64 = 4;
    /// A part before this one is missing; parts are numbered 0, 1, 2 and so on.
    const E_PART_SKIPPED: u64 = 5;
    /// An anchor stands for at least one reading.
    const E_NO_READINGS: u64 = 6;
    /// No such anchor is stored.
    const E_UNKNOWN_ANCHOR: u64 = 7;
    /// A period is made of whole UTC days: unix times that are multiples of 86,400.
    const E_NOT_WHOLE_DAYS: u64 = 8;
    /// A period ends after it starts.
    const E_EMPTY_PERIOD: u64 = 9;
    /// A period has at most 366 days.
    const E_PERIOD_TOO_LONG: u64 = 10;
    /// The period is not over yet.
    const E_PERIOD_NOT_OVER: u64 = 11;
    /// A day of the period belongs to another closed period of the project.
    const E_PERIOD_OVERLAPS: u64 = 12;
    /// The project has no period of this number.
    const E_UNKNOWN_PERIOD: u64 = 13;
    /// Credits were issued for the period; it can neither be issued again nor reopened.
    const E_PERIOD_ISSUED: u64 = 14;
    /// The period was reopened; close it again, under a new number.
    const E_PERIOD_NOT_CLOSED: u64 = 15;

    const SECONDS_PER_HOUR: u64 = 3600;
    const SECONDS_PER_DAY: u64 = 86400;
    const MAX_HOURS_PER_CALL: u64 = 48;
    const MAX_DAYS_PER_PERIOD: u64 = 366;

    const CLOSED: u8 = 1;
    const ISSUED: u8 = 2;
    const REOPENED: u8 = 3;
    /// The period of a day that is in none.
    const OPEN: u64 = 0;

    struct HourKey has copy, drop, store {
        project: String,
        hour: u64
    }

    struct DayKey has copy, drop, store {
        project: String,
        day: u64
    }

    struct PeriodKey has copy, drop, store {
        project: String,
        number: u64
    }

    enum Anchor has copy, drop, store {
        V1 {
            /// RFC 6962 root over `count` leaves.
            root: vector<u8>,
            count: u64,
            /// The methodology's sum, its negative readings apart.
            positive: u128,
            negative: u128,
            /// Where the leaves are kept.
            uri: String,
            /// The day was in a closed period when this came.
            late: bool,
            anchored_at: u64
        }
    }

    enum Day has copy, drop, store {
        V1 {
            positive: u128,
            negative: u128,
            count: u64,
            /// What came after the day's period was closed, and counts only if that is reopened.
            late_positive: u128,
            late_negative: u128,
            late_count: u64,
            /// The closed period that the day is in, or OPEN.
            period: u64
        }
    }

    enum Period has copy, drop, store {
        V1 {
            start: u64,
            end: u64,
            positive: u128,
            negative: u128,
            count: u64,
            state: u8
        }
    }

    struct Anchors has key {
        /// An hour's parts lie together: there is nearly always one, and the next number is the length.
        hours: Table<HourKey, vector<Anchor>>,
        days: Table<DayKey, Day>,
        periods: Table<PeriodKey, Period>,
        last_period: Table<String, u64>
    }

    #[event]
    struct ReadingsAnchored has drop, store {
        project: String,
        hour: u64,
        part: u64,
        root: vector<u8>,
        count: u64,
        positive: u128,
        negative: u128,
        uri: String,
        late: bool
    }

    #[event]
    struct PeriodClosed has drop, store {
        project: String,
        number: u64,
        start: u64,
        end: u64,
        positive: u128,
        negative: u128,
        count: u64
    }

    #[event]
    /// Its days are open again, and what came late counts.
    struct PeriodReopened has drop, store {
        project: String,
        number: u64,
        start: u64,
        end: u64
    }

    #[event]
    struct PeriodIssued has drop, store {
        project: String,
        number: u64,
        batch: address
    }

    fun init_module(publisher: &signer) {
        move_to(
            publisher,
            Anchors {
                hours: table::new(),
                days: table::new(),
                periods: table::new(),
                last_period: table::new()
            }
        );
    }

    // Anchors.

    /// Stores one part of each hour. Sums are in the methodology's unit (microjoules for energy).
    public entry fun anchor(
        oracle: &signer,
        project: String,
        hours: vector<u64>,
        parts: vector<u64>,
        roots: vector<vector<u8>>,
        counts: vector<u64>,
        positives: vector<u128>,
        negatives: vector<u128>,
        uris: vector<String>
    ) acquires Anchors {
        access_control::assert_oracle(oracle);
        project_registry::assert_exists(project);
        let length = hours.length();
        assert!(length > 0 && length <= MAX_HOURS_PER_CALL, E_BAD_LISTS);
        assert!(parts.length() == length && roots.length() == length, E_BAD_LISTS);
        assert!(counts.length() == length && uris.length() == length, E_BAD_LISTS);
        assert!(positives.length() == length && negatives.length() == length, E_BAD_LISTS);
        let now = timestamp::now_seconds();
        let anchors = &mut Anchors[@carbon_market];
        for (i in 0..length) {
            inputs::assert_hash(&roots[i]);
            inputs::assert_text(&uris[i]);
            let part =
                Anchor::V1 {
                    root: roots[i],
                    count: counts[i],
                    positive: positives[i],
                    negative: negatives[i],
                    uri: uris[i],
                    late: false,
                    anchored_at: now
                };
            anchor_hour(anchors, HourKey { project, hour: hours[i] }, parts[i], part);
        };
    }

    fun anchor_hour(
        anchors: &mut Anchors, key: HourKey, number: u64, part: Anchor
    ) {
        let hour = key.hour;
        assert!(hour % SECONDS_PER_HOUR == 0, E_NOT_AN_HOUR);
        assert!(hour <= part.anchored_at, E_HOUR_IN_FUTURE);
        assert!(part.count > 0, E_NO_READINGS);
        let parts = anchors.hours.borrow_mut_with_default(key, vector[]);
        assert!(number >= parts.length(), E_ALREADY_ANCHORED);
        assert!(number == parts.length(), E_PART_SKIPPED);
        let day_key = DayKey { project: key.project, day: hour - hour % SECONDS_PER_DAY };
        part.late = add_to_day(anchors.days.borrow_mut_with_default(day_key, new_day()), &part);
        parts.push_back(part);
        event::emit(
            ReadingsAnchored {
                project: key.project,
                hour,
                part: number,
                root: part.root,
                count: part.count,
                positive: part.positive,
                negative: part.negative,
                uri: part.uri,
                late: part.late
            }
        );
    }

    /// Whether it came too late to count.
    fun add_to_day(day: &mut Day, part: &Anchor): bool {
        if (day.period == OPEN) {
            day.positive += part.positive;
            day.negative += part.negative;
            day.count += part.count;
            return false
        };
        day.late_positive += part.positive;
        day.late_negative += part.negative;
        day.late_count += part.count;
        true
    }

    fun new_day(): Day {
        Day::V1 {
            positive: 0,
            negative: 0,
            count: 0,
            late_positive: 0,
            late_negative: 0,
            late_count: 0,
            period: OPEN
        }
    }

    // Periods.

    /// Freezes the sums of the days from `start` up to and without `end`, so that they can be issued on.
    /// Days without readings are part of the period and give nothing.
    public entry fun close_period(
        oracle: &signer, project: String, start: u64, end: u64
    ) acquires Anchors {
        access_control::assert_oracle(oracle);
        project_registry::assert_exists(project);
        assert!(start % SECONDS_PER_DAY == 0 && end % SECONDS_PER_DAY == 0, E_NOT_WHOLE_DAYS);
        assert!(start < end, E_EMPTY_PERIOD);
        assert!((end - start) / SECONDS_PER_DAY <= MAX_DAYS_PER_PERIOD, E_PERIOD_TOO_LONG);
        assert!(end <= timestamp::now_seconds(), E_PERIOD_NOT_OVER);
        let anchors = &mut Anchors[@carbon_market];
        let last = anchors.last_period.borrow_mut_with_default(project, 0);
        *last += 1;
        let number = *last;
        let (positive, negative, count) = (0, 0, 0);
        let date = start;
        while (date < end) {
            let day = anchors.days.borrow_mut_with_default(DayKey { project, day: date }, new_day());
            assert!(day.period == OPEN, E_PERIOD_OVERLAPS);
            day.period = number;
            positive += day.positive;
            negative += day.negative;
            count += day.count;
            date += SECONDS_PER_DAY;
        };
        anchors.periods.add(
            PeriodKey { project, number },
            Period::V1 { start, end, positive, negative, count, state: CLOSED }
        );
        event::emit(PeriodClosed { project, number, start, end, positive, negative, count });
    }

    /// Frees the days of a period that was not issued; readings that came late count from now on.
    public entry fun reopen_period(oracle: &signer, project: String, number: u64) acquires Anchors {
        access_control::assert_oracle(oracle);
        let anchors = &mut Anchors[@carbon_market];
        let period = closed_period(anchors, project, number);
        period.state = REOPENED;
        let (start, end) = (period.start, period.end);
        let date = start;
        while (date < end) {
            let day = anchors.days.borrow_mut(DayKey { project, day: date });
            day.positive += day.late_positive;
            day.negative += day.late_negative;
            day.count += day.late_count;
            day.late_positive = 0;
            day.late_negative = 0;
            day.late_count = 0;
            day.period = OPEN;
            date += SECONDS_PER_DAY;
        };
        event::emit(PeriodReopened { project, number, start, end });
    }

    /// Uses the period up for `batch`; gives (start, end, positive sum, negative sum).
    public(friend) fun issue_period(
        project: String, number: u64, batch: address
    ): (u64, u64, u128, u128) acquires Anchors {
        let period = closed_period(&mut Anchors[@carbon_market], project, number);
        period.state = ISSUED;
        event::emit(PeriodIssued { project, number, batch });
        (period.start, period.end, period.positive, period.negative)
    }

    fun closed_period(anchors: &mut Anchors, project: String, number: u64): &mut Period {
        let key = PeriodKey { project, number };
        assert!(anchors.periods.contains(key), E_UNKNOWN_PERIOD);
        let period = anchors.periods.borrow_mut(key);
        assert!(period.state != ISSUED, E_PERIOD_ISSUED);
        assert!(period.state == CLOSED, E_PERIOD_NOT_CLOSED);
        period
    }

    // Views.

    #[view]
    /// The number that the hour's next part must have.
    public fun next_part(project: String, hour: u64): u64 acquires Anchors {
        Anchors[@carbon_market].hours.borrow_with_default(HourKey { project, hour }, &vector[]).length()
    }

    #[view]
    /// (root, count, positive sum, negative sum, URI, late, unix time of anchoring)
    public fun anchor_of(
        project: String, hour: u64, part: u64
    ): (vector<u8>, u64, u128, u128, String, bool, u64) acquires Anchors {
        assert!(part < next_part(project, hour), E_UNKNOWN_ANCHOR);
        let found = Anchors[@carbon_market].hours.borrow(HourKey { project, hour })[part];
        (
            found.root,
            found.count,
            found.positive,
            found.negative,
            found.uri,
            found.late,
            found.anchored_at
        )
    }

    #[view]
    /// The same of many anchors in one answer, so that a verifier needs no call for each hour: lists of
    /// (root, count, positive sum, negative sum, late), in the order of `hours` and `parts`.
    public fun anchors_of(
        project: String, hours: vector<u64>, parts: vector<u64>
    ): (vector<vector<u8>>, vector<u64>, vector<u128>, vector<u128>, vector<bool>) acquires Anchors {
        assert!(hours.length() == parts.length(), E_BAD_LISTS);
        let (roots, counts, positives, negatives, lates) = (vector[], vector[], vector[], vector[], vector[]);
        for (i in 0..hours.length()) {
            let (root, count, positive, negative, _, late, _) = anchor_of(project, hours[i], parts[i]);
            roots.push_back(root);
            counts.push_back(count);
            positives.push_back(positive);
            negatives.push_back(negative);
            lates.push_back(late);
        };
        (roots, counts, positives, negatives, lates)
    }

    #[view]
    /// (positive, negative, count, and the same three of what came late, period or 0) of the UTC day that
    /// starts at `day`; zeros where nothing was anchored.
    public fun day(project: String, day: u64): (u128, u128, u64, u128, u128, u64, u64) acquires Anchors {
        let found = *Anchors[@carbon_market].days.borrow_with_default(DayKey { project, day }, &new_day());
        (
            found.positive,
            found.negative,
            found.count,
            found.late_positive,
            found.late_negative,
            found.late_count,
            found.period
        )
    }

    #[view]
    /// (start, end, positive, negative, count, state: 1 closed, 2 issued, 3 reopened)
    public fun period(project: String, number: u64): (u64, u64, u128, u128, u64, u8) acquires Anchors {
        let periods = &Anchors[@carbon_market].periods;
        let key = PeriodKey { project, number };
        assert!(periods.contains(key), E_UNKNOWN_PERIOD);
        let found = periods.borrow(key);
        (found.start, found.end, found.positive, found.negative, found.count, found.state)
    }

    #[view]
    /// The number of the project's newest period; 0 when it has none.
    public fun last_period(project: String): u64 acquires Anchors {
        *Anchors[@carbon_market].last_period.borrow_with_default(project, &0)
    }

    #[test_only]
    public fun init_for_test(publisher: &signer) {
        init_module(publisher);
    }
}
