/// Gifts: credits that wait for whom they are meant. Until then the giver can take them back.
module carbon_market::gifts {
    use std::signer;
    use aptos_std::table::{Self, Table};
    use aptos_framework::event;
    use aptos_framework::fungible_asset::Metadata;
    use aptos_framework::object::{Self, Object};
    use carbon_market::access_control;
    use carbon_market::batch_labels;
    use carbon_market::inputs;
    use carbon_market::market_vault::{Self, VaultCap};
    use carbon_market::transfer_policy;

    /// There is no such gift, or it was claimed or taken back.
    const E_UNKNOWN_GIFT: u64 = 1;
    /// The gift is for another account.
    const E_NOT_FOR_YOU: u64 = 2;
    /// The gift is another account's to take back.
    const E_NOT_YOURS: u64 = 3;
    /// A gift must be for somebody else.
    const E_TO_ONESELF: u64 = 4;
    /// What is given must be credits.
    const E_NOT_CREDITS: u64 = 5;

    enum Gift has copy, drop, store {
        V1 {
            giver: address,
            recipient: address,
            batch: Object<Metadata>,
            grams: u64
        }
    }

    struct Gifts has key {
        /// Numbered from 1.
        gifts: Table<u64, Gift>,
        count: u64,
        vault: VaultCap
    }

    /// A gift as views give it.
    struct GiftView has copy, drop {
        giver: address,
        recipient: address,
        batch: address,
        grams: u64
    }

    #[event]
    /// `message_hash` commits to a text that is kept elsewhere.
    struct GiftMade has drop, store {
        gift: u64,
        giver: address,
        recipient: address,
        batch: address,
        grams: u64,
        message_hash: vector<u8>
    }

    #[event]
    /// `claimed` by the recipient, or else taken back by the giver.
    struct GiftEnded has drop, store {
        gift: u64,
        giver: address,
        recipient: address,
        batch: address,
        grams_old: u64,
        grams_new: u64,
        claimed: bool
    }

    fun init_module(publisher: &signer) {
        let vault = market_vault::take_cap(publisher);
        move_to(publisher, Gifts { gifts: table::new(), count: 0, vault });
    }

    /// `message_hash` is 32 bytes.
    public entry fun make(
        giver: &signer,
        recipient: address,
        batch: Object<Metadata>,
        grams: u64,
        message_hash: vector<u8>,
        from_wallet: bool
    ) acquires Gifts {
        access_control::assert_not_paused();
        let account = signer::address_of(giver);
        transfer_policy::assert_may_trade(account);
        inputs::assert_hash(&message_hash);
        assert!(account != recipient, E_TO_ONESELF);
        assert!(batch_labels::is_batch(object::object_address(&batch)), E_NOT_CREDITS);
        transfer_policy::assert_not_frozen(object::object_address(&batch));
        let gifts = &mut Gifts[@carbon_market];
        market_vault::escrow(&gifts.vault, giver, batch, grams, from_wallet);
        gifts.count += 1;
        gifts.gifts.add(gifts.count, Gift::V1 { giver: account, recipient, batch, grams });
        event::emit(
            GiftMade {
                gift: gifts.count,
                giver: account,
                recipient,
                batch: object::object_address(&batch),
                grams,
                message_hash
            }
        );
    }

    /// To the recipient's wallet. No pause and no freeze stops it.
    public entry fun claim(recipient: &signer, number: u64) acquires Gifts {
        let gift = find(number);
        let account = signer::address_of(recipient);
        assert!(gift.recipient == account, E_NOT_FOR_YOU);
        market_vault::send(&Gifts[@carbon_market].vault, account, gift.batch, gift.grams);
        end(number, gift, true);
    }

    /// Back to the giver's claimable balance. No pause and no freeze stops it.
    public entry fun take_back(giver: &signer, number: u64) acquires Gifts {
        let gift = find(number);
        assert!(gift.giver == signer::address_of(giver), E_NOT_YOURS);
        market_vault::credit(&Gifts[@carbon_market].vault, gift.giver, gift.batch, gift.grams);
        end(number, gift, false);
    }

    fun find(number: u64): Gift acquires Gifts {
        let gifts = &Gifts[@carbon_market].gifts;
        assert!(gifts.contains(number), E_UNKNOWN_GIFT);
        *gifts.borrow(number)
    }

    fun end(number: u64, gift: Gift, claimed: bool) acquires Gifts {
        let gifts = &mut Gifts[@carbon_market].gifts;
        gifts.remove(number);
        event::emit(
            GiftEnded {
                gift: number,
                giver: gift.giver,
                recipient: gift.recipient,
                batch: object::object_address(&gift.batch),
                grams_old: gift.grams,
                grams_new: 0,
                claimed
            }
        );
    }

    #[view]
    public fun gift(number: u64): GiftView acquires Gifts {
        let gift = find(number);
        GiftView {
            giver: gift.giver,
            recipient: gift.recipient,
            batch: object::object_address(&gift.batch),
            grams: gift.grams
        }
    }

    #[view]
    /// How many gifts there ever were; the last one's number.
    public fun count(): u64 acquires Gifts {
        Gifts[@carbon_market].count
    }

    #[test_only]
    public fun init_for_test(publisher: &signer) {
        init_module(publisher);
    }

    #[test_only]
    public fun grams_for_test(number: u64): u64 acquires Gifts {
        gift(number).grams
    }
}
