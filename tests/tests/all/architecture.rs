//! The rules of the house that the compiler does not hold: ARCHITECTURE.md says them, this holds them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Which rooms a room may import. A room stands left of the arrow's head that it may be imported by.
const IMPORTS: &[(&str, &[&str])] = &[
    ("core", &[]),
    ("crash", &[]),
    ("storage", &[]),
    ("api", &["core"]),
    ("formats", &["core"]),
    ("import", &["core"]),
    ("metastore", &["core"]),
    ("queue", &["core"]),
    ("source", &["core", "import"]),
    ("trace", &["core"]),
    ("simulate", &["core", "source"]),
    ("relay", &["core", "crash", "metastore", "queue", "trace"]),
    ("metastore-postgres", &["core", "metastore"]),
    ("metastore-sqlite", &["core", "metastore"]),
    ("queue-rabbitmq", &["core", "queue"]),
    ("source-postgres", &["core", "source"]),
    ("source-sqlite", &["core", "source"]),
    ("storage-s3", &["storage"]),
    ("dispatcher", &["core", "api", "crash", "formats", "metastore", "queue", "relay", "storage", "trace"]),
    ("worker", &["core", "crash", "formats", "metastore", "queue", "relay", "source", "storage", "trace"]),
];

/// Crates of one technology, and the only rooms that may use them.
const TECHNOLOGIES: &[(&str, &[&str])] = &[
    (
        "sqlx",
        &["metastore-postgres", "metastore-sqlite", "source-postgres", "source-sqlite", "tests", "bench"],
    ),
    ("lapin", &["queue-rabbitmq"]),
    ("aws-sdk-s3", &["storage-s3", "tests"]),
    ("axum", &["dispatcher", "spanfleet"]),
    ("clap", &["spanfleet"]),
    ("opentelemetry", &["trace"]),
];

/// Rooms that name drivers besides `wire.rs`: the drivers themselves, and the tests.
const DRIVERS: &[&str] = &[
    "metastore_postgres",
    "metastore_sqlite",
    "queue_rabbitmq",
    "source_postgres",
    "source_sqlite",
    "storage_s3",
];

/// Drivers of one port over two databases: whoever knows one finds their way in the other.
const TWINS: &[(&str, &str)] =
    &[("metastore-postgres", "metastore-sqlite"), ("source-postgres", "source-sqlite")];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every room with the crates that it needs to be built.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = MetadataCommand::new().no_deps().manifest_path(root().join("Cargo.toml")).exec().unwrap();
    let room = |name: &str| name.trim_start_matches("spanfleet-").to_owned();
    let normal = |package: &cargo_metadata::Package| {
        let needed =
            package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
        needed.map(|dependency| dependency.name.clone()).collect()
    };
    metadata.packages.iter().map(|package| (room(&package.name), normal(package))).collect()
}

#[test]
fn rooms_import_only_what_they_may() {
    let mut wrong = Vec::new();
    for (room, needed) in dependencies() {
        if ["spanfleet", "tests", "hot-paths", "model", "bench"].contains(&room.as_str()) {
            continue;
        }
        let Some((_, allowed)) = IMPORTS.iter().find(|(name, _)| *name == room) else {
            wrong.push(format!("{room} is not in the table of imports"));
            continue;
        };
        for other in needed.iter().filter_map(|name| name.strip_prefix("spanfleet-")) {
            if !allowed.contains(&other) {
                wrong.push(format!("{room} imports {other}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn technologies_stay_in_their_rooms() {
    let rooms = dependencies();
    for (technology, allowed) in TECHNOLOGIES {
        let users =
            rooms.iter().filter(|(_, needed)| needed.contains(*technology)).map(|(room, _)| room.as_str());
        let wrong: Vec<&str> = users.filter(|room| !allowed.contains(room)).collect();
        assert!(wrong.is_empty(), "{technology} is used by {wrong:?}");
    }
}

/// A release dies nowhere on request: only the tests turn the crash points on.
#[test]
fn only_the_tests_arm_the_crash_points() {
    let metadata = MetadataCommand::new().no_deps().manifest_path(root().join("Cargo.toml")).exec().unwrap();
    for package in &metadata.packages {
        let arms = package.dependencies.iter().any(|dependency| {
            dependency.name == "spanfleet-crash"
                && dependency.features.iter().any(|feature| feature == "armed")
        });
        assert_eq!(arms, package.name.as_str() == "spanfleet-tests", "{}", package.name);
        let passes_on = package.features.values().flatten().any(|feature| feature.ends_with("/armed"));
        assert!(!passes_on, "{} has a feature that arms the crash points", package.name);
    }
}

/// Every name of the list is a place in the code, once.
#[test]
fn every_crash_point_is_somewhere() {
    let files = rust_files(&root().join("crates"));
    let code: String =
        files.iter().filter(|file| !file.ends_with("crash/src/lib.rs")).map(|file| code_of(file)).collect();
    for point in spanfleet_crash::POINTS {
        assert_eq!(code.matches(&format!("crash_point(\"{point}\")")).count(), 1, "{point}");
    }
}

#[test]
fn only_wire_names_drivers() {
    for file in rust_files(&root().join("crates")) {
        let is_driver =
            DRIVERS.iter().any(|driver| file.to_string_lossy().contains(&driver.replace('_', "-")));
        if is_driver || file.ends_with("cli/src/wire.rs") {
            continue;
        }
        let code = code_of(&file);
        for driver in DRIVERS {
            assert!(!code.contains(&format!("spanfleet_{driver}::")), "{} names {driver}", file.display());
        }
    }
}

#[test]
fn twins_have_the_same_files() {
    for (one, other) in TWINS {
        let names = |room: &str| {
            let folder = root().join("crates").join(room).join("src");
            let files = rust_files(&folder);
            files
                .into_iter()
                .map(|file| file.strip_prefix(&folder).unwrap().to_owned())
                .collect::<BTreeSet<_>>()
        };
        let (one_names, other_names) = (names(one), names(other));
        let shared = one_names.intersection(&other_names).count();
        assert!(
            shared * 2 >= one_names.len().max(other_names.len()),
            "{one}: {one_names:?}\n{other}: {other_names:?}"
        );
    }
}

#[test]
fn nobody_asks_whether_it_is_embedded() {
    for file in rust_files(&root().join("crates")) {
        let code = code_of(&file);
        for word in ["is_embedded", "if embedded", "embedded_mode"] {
            assert!(!code.contains(word), "{} has `{word}`", file.display());
        }
    }
}

#[test]
fn tests_wait_for_conditions() {
    for file in rust_files(&root().join("tests/tests")) {
        // This file is where the word has to stand.
        if file.ends_with("architecture.rs") {
            continue;
        }
        assert!(!code_of(&file).contains("sleep("), "{} sleeps", file.display());
    }
    for file in rust_files(&root().join("crates")) {
        let text = fs::read_to_string(&file).unwrap();
        let is_tests = file.ends_with("tests.rs")
            || file.ends_with("contract.rs")
            || file.to_string_lossy().contains("/contract/");
        let tests = if is_tests {
            text.as_str()
        } else {
            text.split_once("#[cfg(test)]").map_or("", |(_, tests)| tests)
        };
        assert!(!tests.contains("sleep("), "the tests of {} sleep", file.display());
    }
}

#[test]
fn migrations_come_in_both_dialects() {
    let names = |dialect: &str| {
        let files = fs::read_dir(root().join("migrations").join(dialect)).unwrap();
        files.map(|file| file.unwrap().file_name()).collect::<BTreeSet<_>>()
    };
    assert_eq!(names("postgres"), names("sqlite"));
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The text of a file without its comments.
fn code_of(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The first migration that met processes of a version before it.
const FIRST_LATER_MIGRATION: &str = "0003";

/// The version before works on the tables of the next one: nothing that it reads goes away, nothing that it writes
/// is refused. What takes something away comes a version later, and moves the line above.
#[test]
fn migrations_only_expand() {
    for dialect in ["postgres", "sqlite"] {
        for file in fs::read_dir(root().join("migrations").join(dialect)).unwrap().map(Result::unwrap) {
            let name = file.file_name().into_string().unwrap();
            if name.as_str() < FIRST_LATER_MIGRATION {
                continue;
            }
            let contracting = contracting(&fs::read_to_string(file.path()).unwrap());
            assert!(contracting.is_empty(), "{dialect}/{name} does more than expand: {contracting:#?}");
        }
    }
}

#[test]
fn what_contracts_is_seen() {
    let expanding = "-- A comment; with DROP TABLE.
        CREATE TABLE notes (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
        CREATE UNIQUE INDEX idx_notes_name ON notes(name);
        ALTER TABLE export_jobs ADD COLUMN note TEXT; -- NULL: none
        ALTER TABLE export_jobs ADD COLUMN notes INTEGER NOT NULL DEFAULT 0;
        CREATE INDEX idx_jobs_note ON export_jobs(note) WHERE note IS NOT NULL;";
    assert!(contracting(expanding).is_empty(), "{:?}", contracting(expanding));
    for statement in [
        "DROP TABLE outbox",
        "ALTER TABLE outbox DROP COLUMN due_at",
        "ALTER TABLE outbox RENAME COLUMN due_at TO due",
        "ALTER TABLE outbox RENAME TO hints",
        "ALTER TABLE outbox ADD COLUMN note TEXT NOT NULL",
        "ALTER TABLE outbox ADD COLUMN note TEXT UNIQUE",
        "ALTER TABLE outbox ADD COLUMN note INTEGER DEFAULT 0 CHECK (note > 0)",
        "ALTER TABLE outbox ADD COLUMN note TEXT, DROP COLUMN due_at",
        "ALTER TABLE outbox ALTER COLUMN due_at TYPE TEXT",
        "ALTER TABLE outbox ADD CONSTRAINT short CHECK (id < 9)",
        "CREATE UNIQUE INDEX idx_outbox_user ON outbox(user_id)",
        "CREATE TRIGGER t BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION f()",
        "UPDATE export_jobs SET phase = 'failed'",
    ] {
        assert_eq!(contracting(statement), [statement]);
    }
}

/// The statements of a migration that may do more than add what the version before need not know.
fn contracting(migration: &str) -> Vec<String> {
    let without_comments: Vec<&str> =
        migration.lines().map(|line| line.split_once("--").map_or(line, |(code, _)| code)).collect();
    let all = without_comments.join("\n");
    let statements: Vec<String> =
        all.split(';').map(|text| text.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let made: Vec<&str> = statements.iter().filter_map(|text| text.strip_prefix("CREATE TABLE ")).collect();
    let is_new = |table: &str| made.iter().any(|made| made.starts_with(&format!("{table} ")));
    let expands = |text: &str| {
        if let Some(index) = text.strip_prefix("CREATE UNIQUE INDEX ") {
            return index
                .split_once(" ON ")
                .is_some_and(|(_, on)| is_new(on.split('(').next().unwrap_or_default()));
        }
        if let Some((_, column)) =
            text.strip_prefix("ALTER TABLE ").and_then(|text| text.split_once(" ADD COLUMN "))
        {
            let demands = ["UNIQUE", "CHECK", "PRIMARY KEY", ","].iter().any(|word| column.contains(word));
            return !demands && (!column.contains("NOT NULL") || column.contains("DEFAULT"));
        }
        text.is_empty() || ["CREATE TABLE ", "CREATE INDEX "].iter().any(|start| text.starts_with(start))
    };
    statements.iter().filter(|text| !expands(text)).cloned().collect()
}
