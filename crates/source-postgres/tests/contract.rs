//! The contracts of sources and loaders, against a real server.

mod support;

spanfleet_source::loader_contract_tests!(support::stage);
