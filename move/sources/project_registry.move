/// The projects that credits come from.
module carbon_market::project_registry {
    use std::string::String;
    use aptos_std::table::{Self, Table};
    use aptos_framework::event;
    use carbon_market::access_control;
    use carbon_market::inputs;
    use carbon_market::methodology;

    /// No project of this id is registered.
    const E_UNKNOWN_PROJECT: u64 = 1;
    /// A project of this id is registered already.
    const E_PROJECT_EXISTS: u64 = 2;
    /// The project is suspended: nothing is issued to it.
    const E_SUSPENDED: u64 = 3;

    enum Project has copy, drop, store {
        V1 {
            developer: address,
            /// Commitment to the developer's organisation, whose verifiers never review the project.
            organisation: vector<u8>,
            country: String,
            methodology: String,
            methodology_version: u64,
            metadata_hash: vector<u8>,
            active: bool
        }
    }

    struct Projects has key {
        projects: Table<String, Project>
    }

    #[event]
    struct ProjectRegistered has drop, store {
        project: String,
        developer: address,
        organisation: vector<u8>,
        country: String,
        methodology: String,
        methodology_version: u64,
        metadata_hash: vector<u8>
    }

    #[event]
    struct DeveloperChanged has drop, store {
        project: String,
        developer_old: address,
        developer_new: address
    }

    #[event]
    struct ProjectActiveChanged has drop, store {
        project: String,
        active_old: bool,
        active_new: bool
    }

    #[event]
    struct ProjectMethodologyChanged has drop, store {
        project: String,
        methodology_old: String,
        version_old: u64,
        methodology_new: String,
        version_new: u64
    }

    #[event]
    struct ProjectMetadataChanged has drop, store {
        project: String,
        metadata_hash_old: vector<u8>,
        metadata_hash_new: vector<u8>
    }

    fun init_module(publisher: &signer) {
        move_to(publisher, Projects { projects: table::new() });
    }

    /// `organisation` and `metadata_hash` are 32 bytes; `country` is ISO 3166-1 alpha-2.
    public entry fun register(
        issuer: &signer,
        id: String,
        developer: address,
        organisation: vector<u8>,
        country: String,
        methodology: String,
        methodology_version: u64,
        metadata_hash: vector<u8>
    ) acquires Projects {
        access_control::assert_issuer(issuer);
        inputs::assert_id(&id);
        inputs::assert_hash(&organisation);
        inputs::assert_country(&country);
        inputs::assert_hash(&metadata_hash);
        methodology::assert_active(methodology, methodology_version);
        let projects = &mut Projects[@carbon_market].projects;
        assert!(!projects.contains(id), E_PROJECT_EXISTS);
        projects.add(
            id,
            Project::V1 {
                developer,
                organisation,
                country,
                methodology,
                methodology_version,
                metadata_hash,
                active: true
            }
        );
        event::emit(
            ProjectRegistered {
                project: id,
                developer,
                organisation,
                country,
                methodology,
                methodology_version,
                metadata_hash
            }
        );
    }

    public entry fun set_developer(issuer: &signer, id: String, developer: address) acquires Projects {
        let project = change(issuer, id);
        let developer_old = project.developer;
        project.developer = developer;
        event::emit(DeveloperChanged { project: id, developer_old, developer_new: developer });
    }

    /// A suspended project is issued nothing; its readings are anchored all the same.
    public entry fun set_active(issuer: &signer, id: String, active: bool) acquires Projects {
        let project = change(issuer, id);
        let active_old = project.active;
        project.active = active;
        event::emit(ProjectActiveChanged { project: id, active_old, active_new: active });
    }

    /// Moves the project to another version; periods that are not issued yet are issued under it.
    public entry fun set_methodology(
        issuer: &signer, id: String, methodology: String, version: u64
    ) acquires Projects {
        methodology::assert_active(methodology, version);
        let project = change(issuer, id);
        let methodology_old = project.methodology;
        let version_old = project.methodology_version;
        project.methodology = methodology;
        project.methodology_version = version;
        event::emit(
            ProjectMethodologyChanged {
                project: id,
                methodology_old,
                version_old,
                methodology_new: methodology,
                version_new: version
            }
        );
    }

    public entry fun set_metadata(
        issuer: &signer, id: String, metadata_hash: vector<u8>
    ) acquires Projects {
        inputs::assert_hash(&metadata_hash);
        let project = change(issuer, id);
        let metadata_hash_old = project.metadata_hash;
        project.metadata_hash = metadata_hash;
        event::emit(
            ProjectMetadataChanged { project: id, metadata_hash_old, metadata_hash_new: metadata_hash }
        );
    }

    inline fun change(issuer: &signer, id: String): &mut Project {
        access_control::assert_issuer(issuer);
        assert_exists(id);
        let projects = &mut Projects[@carbon_market].projects;
        projects.borrow_mut(id)
    }

    public fun assert_exists(id: String) acquires Projects {
        assert!(project_exists(id), E_UNKNOWN_PROJECT);
    }

    /// The project is not suspended and its methodology's version not retired.
    public fun assert_may_issue(id: String) acquires Projects {
        assert_exists(id);
        let project = Projects[@carbon_market].projects.borrow(id);
        assert!(project.active, E_SUSPENDED);
        methodology::assert_active(project.methodology, project.methodology_version);
    }

    #[view]
    public fun project_exists(id: String): bool acquires Projects {
        Projects[@carbon_market].projects.contains(id)
    }

    #[view]
    /// (developer, organisation, country, methodology, its version, hash of the metadata, active)
    public fun project(
        id: String
    ): (address, vector<u8>, String, String, u64, vector<u8>, bool) acquires Projects {
        assert_exists(id);
        let project = Projects[@carbon_market].projects.borrow(id);
        (
            project.developer,
            project.organisation,
            project.country,
            project.methodology,
            project.methodology_version,
            project.metadata_hash,
            project.active
        )
    }

    #[test_only]
    public fun init_for_test(publisher: &signer) {
        init_module(publisher);
    }
}
