//! The contracts of sources and loaders, on a file.

mod support;

spanfleet_source::loader_contract_tests!(support::stage);
