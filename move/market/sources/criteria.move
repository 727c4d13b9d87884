/// What a buyer asks of batches instead of naming one.
module carbon_market::criteria {
    use std::string::String;
    use carbon_market::batch_labels;
    use carbon_market::credit_batch;

    /// The batch is of another type than the buyer asks for.
    const E_OTHER_METHODOLOGY: u64 = 1;
    /// The batch is from another country than the buyer asks for.
    const E_OTHER_COUNTRY: u64 = 2;
    /// The batch is of another vintage year than the buyer asks for.
    const E_OTHER_VINTAGE: u64 = 3;
    /// The batch lacks labels that the buyer asks for.
    const E_LABELS_MISSING: u64 = 4;
    /// Each list of criteria has at most 16 entries, and vintages are years from 1970 to 9999.
    const E_BAD_CRITERIA: u64 = 5;

    const MAX_ENTRIES: u64 = 16;
    const DAY_SECONDS: u64 = 86400;

    struct Criteria has drop {
        methodologies: vector<String>,
        countries: vector<String>,
        vintages: vector<u64>,
        labels: u64
    }

    /// Empty lists and no bits ask for nothing.
    public fun new(
        methodologies: vector<String>, countries: vector<String>, vintages: vector<u64>, labels: u64
    ): Criteria {
        assert!(
            methodologies.length() <= MAX_ENTRIES
                && countries.length() <= MAX_ENTRIES
                && vintages.length() <= MAX_ENTRIES
                && vintages.all(|year| *year >= 1970 && *year <= 9999),
            E_BAD_CRITERIA
        );
        Criteria { methodologies, countries, vintages, labels }
    }

    /// A vintage is the UTC year in which the batch's period begins.
    public fun assert_met(self: &Criteria, batch: address) {
        let (methodology, country, began) = credit_batch::traits_of(batch);
        assert!(
            self.methodologies.is_empty() || self.methodologies.contains(&methodology),
            E_OTHER_METHODOLOGY
        );
        assert!(self.countries.is_empty() || self.countries.contains(&country), E_OTHER_COUNTRY);
        assert!(
            self.vintages.is_empty()
                || self.vintages.any(|year| began >= year_start(*year) && began < year_start(*year + 1)),
            E_OTHER_VINTAGE
        );
        assert!(batch_labels::labels_of(batch) & self.labels == self.labels, E_LABELS_MISSING);
    }

    /// Unix seconds of its first of January.
    fun year_start(year: u64): u64 {
        let past = year - 1;
        let leap_days = past / 4 - past / 100 + past / 400 - 477;
        (365 * (year - 1970) + leap_days) * DAY_SECONDS
    }
}
