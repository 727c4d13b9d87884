#[test_only]
/// The market that the tests play in: one solar project with three closed periods of two days, five
/// verifiers, and everybody with a role. 1,000 units of the sums are a gram, 5 % goes to the buffer.
module carbon_market::scenario {
    use std::option;
    use std::string::{Self, String};
    use aptos_framework::account;
    use aptos_framework::chain_id;
    use aptos_framework::fungible_asset::{Self, Metadata};
    use aptos_framework::object::{Self, Object};
    use aptos_framework::timestamp;
    use carbon_market::access_control;
    use carbon_market::approvals;
    use carbon_market::carbon_credit;
    use carbon_market::certificate_registry;
    use carbon_market::credit_batch;
    use carbon_market::data_anchor;
    use carbon_market::imports;
    use carbon_market::methodology;
    use carbon_market::project_registry;
    use carbon_market::transfer_policy;

    const DAY_ZERO: u64 = 1467331200;
    const DAY: u64 = 86400;
    const HOUR: u64 = 3600;

    public fun admin(): signer {
        account::create_signer_for_test(@carbon_market)
    }

    public fun issuer(): signer {
        account::create_signer_for_test(@0x1551)
    }

    public fun oracle(): signer {
        account::create_signer_for_test(@0x04ac)
    }

    public fun pauser(): signer {
        account::create_signer_for_test(@0x9a5e)
    }

    public fun developer(): signer {
        account::create_signer_for_test(@0xde)
    }

    public fun buyer(): signer {
        account::create_signer_for_test(@0xb1)
    }

    public fun stranger(): signer {
        account::create_signer_for_test(@0xbad)
    }

    public fun text(bytes: vector<u8>): String {
        string::utf8(bytes)
    }

    public fun sun(): String {
        text(b"SUN1")
    }

    public fun solar(): String {
        text(b"grid-renewables")
    }

    /// 32 equal bytes.
    public fun hash(byte: u8): vector<u8> {
        let bytes = vector[];
        for (i in 0..32) bytes.push_back(byte);
        bytes
    }

    /// The developer's, as in tests/move/approvals.py.
    public fun developer_organisation(): vector<u8> {
        hash(0xdd)
    }

    /// Modules and a clock that stands at the first day.
    public fun publish() {
        let framework = account::create_signer_for_test(@aptos_framework);
        timestamp::set_time_has_started_for_testing(&framework);
        chain_id::initialize_for_test(&framework, 4);
        timestamp::update_global_time_for_test_secs(DAY_ZERO);
        let publisher = admin();
        transfer_policy::init_for_test(&publisher);
        access_control::init_for_test(&publisher);
        methodology::init_for_test(&publisher);
        project_registry::init_for_test(&publisher);
        data_anchor::init_for_test(&publisher);
        certificate_registry::init_for_test(&publisher);
        credit_batch::init_for_test(&publisher);
        carbon_credit::init_for_test(&publisher);
        imports::init_for_test(&publisher);
    }

    /// Roles, methodology, project and verifiers.
    public fun open() {
        publish();
        let admin = admin();
        access_control::grant_role(&admin, 1, @0x1551);
        access_control::grant_role(&admin, 2, @0x04ac);
        access_control::grant_role(&admin, 3, @0x9a5e);
        register_methodology(1, 1, 500);
        register_project(sun());
        let organisations = vector[hash(0xa0), hash(0xa1), hash(0xa2), hash(0xdd), hash(0xa4)];
        for (i in 0..5) {
            access_control::register_verifier(&admin, verifier(i), approvals::key(i), organisations[i]);
        };
    }

    public fun register_methodology(version: u64, numerator: u128, buffer_bps: u64) {
        methodology::register(&admin(), solar(), version, 1, numerator, 1000, buffer_bps, hash(0xd0));
    }

    public fun register_project(id: String) {
        project_registry::register(
            &issuer(), id, @0xde, developer_organisation(), text(b"US"), solar(), 1, hash(0x33)
        );
    }

    const VERIFIERS: vector<address> = vector[@0xe000, @0xe001, @0xe002, @0xe003, @0xe004, @0xe005];

    /// 3 is of the developer's organisation, 5 is registered nowhere.
    public fun verifier(number: u64): address {
        VERIFIERS[number]
    }

    /// Day `number` of the story; the first is 2016-07-01.
    public fun day(number: u64): u64 {
        DAY_ZERO + number * DAY
    }

    public fun hour(number: u64): u64 {
        DAY_ZERO + number * HOUR
    }

    /// Moves the clock to the start of a day.
    public fun go_to_day(number: u64) {
        timestamp::update_global_time_for_test_secs(day(number));
    }

    public fun anchor(hour: u64, part: u64, positive: u128, negative: u128) {
        data_anchor::anchor(
            &oracle(),
            sun(),
            vector[hour],
            vector[part],
            vector[hash(0x70)],
            vector[4],
            vector[positive],
            vector[negative],
            vector[text(b"s3://evidence/1")]
        );
    }

    public fun close(first_day: u64, end_day: u64) {
        data_anchor::close_period(&oracle(), sun(), day(first_day), day(end_day));
    }

    /// An open market on day 10, with periods 1 to 3 (days 0-1, 2-3, 4-5) closed; 9,000 grams can be issued
    /// on each.
    public fun measured() {
        open();
        go_to_day(10);
        for (period in 0..3) {
            anchor(day(2 * period), 0, 6000000, 1000000);
            anchor(day(2 * period + 1), 0, 4000000, 0);
            close(2 * period, 2 * period + 2);
        };
    }

    /// Issues a case of tests/move/approvals.py with the first two reviewers drawn.
    public fun issue_case(case: u64, period: u64, id: vector<u8>, grams: u64) {
        let reviewers = approvals::drawn(case).slice(0, 2);
        issue_signed(case, period, id, grams, reviewers, reviewers);
    }

    /// `keys` names whose keys sign for the signers.
    public fun issue_signed(
        case: u64,
        period: u64,
        id: vector<u8>,
        grams: u64,
        signers: vector<address>,
        keys: vector<address>
    ) {
        carbon_credit::issue(
            &issuer(),
            sun(),
            period,
            text(id),
            grams,
            approvals::report_hash(case),
            signers,
            keys.map(|account| sign(case, account)),
            1,
            text(b"https://example.org/BAT1")
        );
    }

    fun sign(case: u64, account: address): vector<u8> {
        let (_, number) = VERIFIERS.index_of(&account);
        approvals::signature(case, number)
    }

    /// Period 1 issued in full: 9,000 grams as BAT1, of which 450 are in the buffer.
    public fun issued(): Object<Metadata> {
        measured();
        issue_case(0, 1, b"BAT1", 9000);
        batch(b"BAT1")
    }

    public fun batch(id: vector<u8>): Object<Metadata> {
        object::address_to_object(credit_batch::batch_address(text(id)))
    }

    public fun retire(holder: &signer, batch: Object<Metadata>, grams: u64, id: vector<u8>) {
        carbon_credit::retire(
            holder, batch, grams, text(id), hash(0xbe), text(b"voluntary"), text(b"DE"), day(0), day(2)
        );
    }

    public fun cancel(holder: &signer, batch: Object<Metadata>, grams: u64, id: vector<u8>) {
        carbon_credit::cancel(holder, batch, grams, text(id), text(b"double counting"));
    }

    public fun reverse(batch: Object<Metadata>, grams: u64, id: vector<u8>) {
        carbon_credit::reverse(&issuer(), batch, grams, text(id), hash(0xfe));
    }

    /// A fungible asset that is not ours.
    public fun other_asset(): Object<Metadata> {
        let constructor = object::create_named_object(&stranger(), b"other");
        fungible_asset::add_fungibility(
            &constructor, option::none(), text(b"Other"), text(b"O"), 0, text(b""), text(b"")
        )
    }
}
