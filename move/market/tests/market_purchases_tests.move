#[test_only]
module carbon_market::market_purchases_tests {
    use std::string::String;
    use carbon_market::credit_batch;
    use carbon_market::criteria;
    use carbon_market::market_purchases;
    use carbon_market::market_vault;
    use carbon_market::marketplace;
    use carbon_market::stage::{Self, text};

    fun two_books() {
        stage::open();
        let second = stage::make_batch(b"BAT2");
        marketplace::open_book(&stage::issuer(), second, stage::dollar(), stage::tick(), 1, 5, 0);
        stage::ask(10, 10);
        marketplace::place(&stage::seller(), 2, false, 0, 9 * stage::tick(), 10, 1000, 0, 0, true);
    }

    fun buy(books: vector<u64>, grams: vector<u64>, kinds: vector<String>, lands: vector<String>, years: vector<u64>, labels: u64) {
        market_purchases::buy_by_criteria(
            &stage::buyer(),
            stage::dollar(),
            books,
            grams,
            10 * stage::tick(),
            kinds,
            lands,
            years,
            labels,
            1000,
            true
        );
    }

    #[test]
    fun a_route_buys_from_several_books() {
        two_books();
        buy(vector[2, 1], vector[10, 5], vector[text(b"grid")], vector[text(b"US")], vector[2023, 2024], 1);
        assert!(stage::grams_of(@0xb1) == 5 && stage::dollars_of(@0xb1) == 10);
        assert!(stage::dollars_of(@0xde) == 140);
    }

    #[test]
    /// Two legs leave 14 steps.
    fun a_full_transaction_leaves_legs_out() {
        two_books();
        for (i in 0..20) { stage::ask(10, 1); };
        buy(vector[1, 2], vector[40, 10], vector[], vector[], vector[], 0);
        assert!(stage::grams_of(@0xb1) == 23 && stage::dollars_of(@0xde) == 230);
    }

    #[test]
    fun a_routes_price_need_not_be_on_a_tick() {
        two_books();
        let none = vector[];
        market_purchases::buy_by_criteria(
            &stage::buyer(), stage::dollar(), vector[2, 1], vector[10, 5], 10 * stage::tick() + 1, none, none,
            vector[], 0, 1000, true
        );
        assert!(stage::grams_of(@0xb1) == 5 && stage::dollars_of(@0xde) == 140);
    }

    #[test, expected_failure(abort_code = market_purchases::E_BAD_ROUTE, location = market_purchases)]
    fun a_route_has_grams_for_each_book() {
        two_books();
        buy(vector[1, 2], vector[5], vector[], vector[], vector[], 0);
    }

    #[test, expected_failure(abort_code = market_purchases::E_OTHER_QUOTE, location = market_purchases)]
    fun a_route_has_one_quote_asset() {
        stage::open();
        marketplace::open_book(&stage::issuer(), stage::batch(), stage::batch(), stage::tick(), 1, 5, 0);
        buy(vector[2], vector[5], vector[], vector[], vector[], 0);
    }

    #[test, expected_failure(abort_code = market_purchases::E_NOTHING_BOUGHT, location = market_purchases)]
    fun a_route_buys_something() {
        stage::open();
        buy(vector[1], vector[5], vector[], vector[], vector[], 0);
    }

    #[test, expected_failure(abort_code = criteria::E_OTHER_METHODOLOGY, location = criteria)]
    fun a_batch_is_of_the_type() {
        two_books();
        buy(vector[1], vector[5], vector[text(b"forest")], vector[], vector[], 0);
    }

    #[test, expected_failure(abort_code = criteria::E_OTHER_COUNTRY, location = criteria)]
    fun a_batch_is_of_the_country() {
        two_books();
        buy(vector[1], vector[5], vector[], vector[text(b"DE")], vector[], 0);
    }

    #[test, expected_failure(abort_code = criteria::E_OTHER_VINTAGE, location = criteria)]
    fun a_batch_is_of_the_vintage() {
        two_books();
        buy(vector[1], vector[5], vector[], vector[], vector[2023, 2025], 0);
    }

    #[test, expected_failure(abort_code = criteria::E_LABELS_MISSING, location = criteria)]
    fun a_batch_has_the_labels() {
        two_books();
        buy(vector[1], vector[5], vector[], vector[], vector[], 4);
    }

    #[test, expected_failure(abort_code = criteria::E_BAD_CRITERIA, location = criteria)]
    fun a_vintage_is_a_year() {
        two_books();
        buy(vector[1], vector[5], vector[], vector[], vector[24], 0);
    }

    #[test]
    fun bought_credits_are_retired_at_once() {
        stage::open();
        stage::ask(10, 10);
        market_purchases::buy_and_retire(
            &stage::buyer(), 1, 10 * stage::tick(), 10, 1000, true, text(b"RET1"), stage::hash(),
            text(b""), text(b"DE"), 0, 1
        );
        assert!(stage::grams_of(@0xb1) == 0 && credit_batch::holding(@0xb1, stage::batch()) == 0);
        assert!(credit_batch::supply(stage::batch()) == 999990);
    }

    #[test]
    fun claimable_credits_are_retired_while_paused() {
        stage::open();
        market_vault::deposit(&stage::seller(), stage::batch(), 10);
        stage::pause();
        market_purchases::retire(
            &stage::seller(), stage::batch(), 10, text(b"RET1"), stage::hash(), text(b""), text(b"DE"), 0, 1
        );
        assert!(credit_batch::supply(stage::batch()) == 999990);
    }
}
