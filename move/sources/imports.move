/// Batches that another registry issued, brought here to be traded and retired. Nothing of them was measured,
/// anchored or reviewed here, and they are labelled so for ever. The issuer answers for their being immobile
/// in the registry that they come from.
module carbon_market::imports {
    use std::string::String;
    use aptos_std::table::{Self, Table};
    use aptos_framework::event;
    use carbon_market::access_control;
    use carbon_market::credit_batch;
    use carbon_market::inputs;
    use carbon_market::project_registry;

    /// This serial of this registry was imported before.
    const E_IMPORTED_BEFORE: u64 = 1;
    /// A project of this id is registered here, so its credits are issued here.
    const E_PROJECT_OF_HERE: u64 = 2;
    /// A vintage ends after it starts.
    const E_BAD_VINTAGE: u64 = 3;
    /// A registry's serial is 1 to 256 printable ASCII characters without a space at either end.
    const E_BAD_SERIAL: u64 = 4;
    /// The batch was not imported.
    const E_NOT_IMPORTED: u64 = 5;

    const MAX_SERIAL_BYTES: u64 = 256;
    const SPACE: u8 = 32;
    const TILDE: u8 = 126;

    /// What the registry of origin calls the credits.
    struct Serial has copy, drop, store {
        registry: String,
        serial: String
    }

    enum Origin has copy, drop, store {
        V1 {
            serial: Serial,
            project_name: String
        }
    }

    struct Imports has key {
        batches: Table<Serial, address>,
        origins: Table<address, Origin>
    }

    #[event]
    struct CreditsImported has drop, store {
        batch: address,
        batch_id: String,
        registry: String,
        registry_serial: String,
        project: String,
        project_name: String,
        owner: address,
        country: String,
        methodology: String,
        vintage_start: u64,
        vintage_end: u64,
        serial_first: u64,
        serial_last: u64,
        issued: u64,
        labels: u64,
        uri: String
    }

    fun init_module(publisher: &signer) {
        move_to(publisher, Imports { batches: table::new(), origins: table::new() });
    }

    /// Brings credits of another registry here, all of them to `owner`. `registry` and `project` are ids as
    /// that registry has them, `registry_serial` its own text, good for one import; `methodology` is a text.
    /// `labels` is a bit set, to which "not measured here" is added.
    public entry fun import_batch(
        issuer: &signer,
        owner: address,
        batch_id: String,
        registry: String,
        registry_serial: String,
        project: String,
        project_name: String,
        country: String,
        methodology: String,
        vintage_start: u64,
        vintage_end: u64,
        grams: u64,
        labels: u64,
        uri: String
    ) acquires Imports {
        access_control::assert_issuer(issuer);
        access_control::assert_not_paused();
        inputs::assert_id(&batch_id);
        inputs::assert_id(&registry);
        assert_serial(&registry_serial);
        inputs::assert_id(&project);
        inputs::assert_text(&project_name);
        inputs::assert_country(&country);
        inputs::assert_text(&methodology);
        inputs::assert_text(&uri);
        assert!(vintage_start < vintage_end, E_BAD_VINTAGE);
        assert!(!project_registry::project_exists(project), E_PROJECT_OF_HERE);
        // Before the batch's id is looked at: whoever repeats an import repeats its id, too.
        assert!(!was_imported(registry, registry_serial), E_IMPORTED_BEFORE);
        let batch = credit_batch::batch_address(batch_id);
        let labels = labels | credit_batch::not_measured_here();
        let (serial_first, serial_last) =
            credit_batch::create(
                batch_id,
                owner,
                project,
                country,
                methodology,
                0,
                0,
                vintage_start,
                vintage_end,
                vector[],
                grams,
                0,
                labels,
                uri
            );
        keep_origin(batch, Serial { registry, serial: registry_serial }, project_name);
        event::emit(
            CreditsImported {
                batch,
                batch_id,
                registry,
                registry_serial,
                project,
                project_name,
                owner,
                country,
                methodology,
                vintage_start,
                vintage_end,
                serial_first,
                serial_last,
                issued: grams,
                labels,
                uri
            }
        );
    }

    fun keep_origin(batch: address, serial: Serial, project_name: String) acquires Imports {
        let imports = &mut Imports[@carbon_market];
        imports.batches.add(serial, batch);
        imports.origins.add(batch, Origin::V1 { serial, project_name });
    }

    fun assert_serial(serial: &String) {
        let bytes = serial.bytes();
        let length = bytes.length();
        assert!(length > 0 && length <= MAX_SERIAL_BYTES, E_BAD_SERIAL);
        assert!(bytes.all(|character| *character >= SPACE && *character <= TILDE), E_BAD_SERIAL);
        assert!(bytes[0] != SPACE && bytes[length - 1] != SPACE, E_BAD_SERIAL);
    }

    #[view]
    /// (registry, its serial, the project's name)
    public fun origin(batch: address): (String, String, String) acquires Imports {
        let origins = &Imports[@carbon_market].origins;
        assert!(origins.contains(batch), E_NOT_IMPORTED);
        let origin = *origins.borrow(batch);
        (origin.serial.registry, origin.serial.serial, origin.project_name)
    }

    #[view]
    /// Whether credits of this serial are here already.
    public fun was_imported(registry: String, registry_serial: String): bool acquires Imports {
        Imports[@carbon_market].batches.contains(Serial { registry, serial: registry_serial })
    }

    #[test_only]
    public fun init_for_test(publisher: &signer) {
        init_module(publisher);
    }
}
