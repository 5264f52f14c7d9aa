//! A loop that needs other instructions than it did is seen here, beside any other work on the machine.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path, process::Command};

/// By how much a count may differ from what stands in `instructions.tsv`: hash tables are seeded anew in every process,
/// and code moves a little with what stands around it.
const TOLERANCE_PERCENT: f64 = 3.0;
/// Set to anything, the file is written anew.
const RECORD: &str = "SPANFLEET_RECORD_INSTRUCTIONS";

/// What counts depend on beside the code.
fn machine() -> String {
    let output = Command::new("rustc").arg("--version").output().expect("rustc is there");
    let compiler = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let profile = if cfg!(debug_assertions) { "dev" } else { "release" };
    let has_avx2 = fs::read_to_string("/proc/cpuinfo").is_ok_and(|cpu| cpu.contains(" avx2"));
    let vectors = if has_avx2 { "AVX2" } else { "no AVX2" };
    format!("# {compiler}, {profile}, {}, {vectors}", std::env::consts::ARCH)
}

/// Instructions of each loop, counted by callgrind: it writes what it has counted after each call of `counted`, and
/// begins anew.
fn count() -> BTreeMap<String, u64> {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no", "--toggle-collect=hot_paths::counted"])
        .arg("--dump-after=hot_paths::counted")
        .arg(format!("--callgrind-out-file={}", folder.path().join("out").display()))
        .arg(env!("CARGO_BIN_EXE_hot-paths"))
        .output()
        .expect("valgrind is there: scripts/setup-test-servers.sh installs it");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let names = String::from_utf8(output.stdout).expect("names are text");
    (1..)
        .zip(names.lines())
        .map(|(nth, name)| (name.to_owned(), total(&folder.path().join(format!("out.{nth}")))))
        .collect()
}

fn total(dump: &Path) -> u64 {
    let text = fs::read_to_string(dump).unwrap_or_else(|error| panic!("{}: {error}", dump.display()));
    let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
    total.and_then(|total| total.trim().parse().ok()).expect("a dump has a total")
}

#[test]
fn every_loop_needs_the_instructions_that_it_did() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("instructions.tsv");
    let (machine, counts) = (machine(), count());
    if std::env::var_os(RECORD).is_some() {
        let mut lines = format!("{machine}\n");
        for (name, count) in &counts {
            writeln!(lines, "{name}\t{count}").expect("a string can be written");
        }
        fs::write(&file, lines).expect("the file can be written");
        return;
    }
    let recorded = fs::read_to_string(&file).expect("instructions.tsv is there");
    let (made_on, lines) = recorded.split_once('\n').expect("the first line says what it was counted on");
    if made_on != machine {
        println!("not compared: counted on `{made_on}`, and this is `{machine}`");
        return;
    }
    let before: BTreeMap<&str, f64> = lines
        .lines()
        .map(|line| {
            let (name, count) = line.split_once('\t').expect("a line is a name and a count");
            (name, count.parse().expect("a count is a number"))
        })
        .collect();
    assert!(
        before.keys().copied().eq(counts.keys().map(String::as_str)),
        "other loops than in {file:?}: {RECORD}=1"
    );
    let changes: Vec<String> = counts
        .iter()
        .map(|(name, count)| (name, (*count as f64 / before[name.as_str()] - 1.0) * 100.0))
        .filter(|(_, percent)| percent.abs() > TOLERANCE_PERCENT)
        .map(|(name, percent)| format!("{name}: {percent:+.1} %"))
        .collect();
    assert!(
        changes.is_empty(),
        "instructions changed; where that is meant, {RECORD}=1 records them: {changes:#?}"
    );
}
