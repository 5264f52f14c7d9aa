//! CPU seconds of processes, from `/proc`.

use std::collections::HashMap;
use std::fs;
use std::ops::Sub;

/// The kernel counts in these, whatever its own tick is.
const TICKS_PER_SECOND: f64 = 100.0;
/// What the kernel keeps of a program's name.
const NAME_BYTES: usize = 15;
/// What the commands of the product begin with.
const OURS: &str = "spanfleet ";

/// CPU seconds by program, of everything below one process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cpu(HashMap<String, f64>);

impl Cpu {
    /// What the processes below this one's parent have used, those that ended included: with `with-servers` as
    /// the parent, that is the servers and everything measured.
    pub(crate) fn of_everything() -> Cpu {
        let processes = processes();
        let root = std::os::unix::process::parent_id();
        let mut used = Cpu::default();
        for process in processes.values().filter(|process| is_below(process.id, root, &processes)) {
            *used.0.entry(process.name.clone()).or_default() += process.seconds;
        }
        used
    }

    /// Of the programs of that name. The kernel keeps 15 bytes of it; ours go by their command, as `spanfleet worker`.
    pub(crate) fn of(&self, name: &str) -> f64 {
        let kept = if name.starts_with(OURS) { name } else { &name[..name.len().min(NAME_BYTES)] };
        self.0.get(kept).copied().unwrap_or_default()
    }
}

impl Sub for &Cpu {
    type Output = Cpu;

    fn sub(self, before: &Cpu) -> Cpu {
        let since = |(name, seconds): (&String, &f64)| {
            (name.clone(), seconds - before.0.get(name).copied().unwrap_or_default())
        };
        Cpu(self.0.iter().map(since).collect())
    }
}

/// CPU seconds of this process's children that have ended and been waited for.
pub(crate) fn of_ended_children() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = fields(&stat);
    ticks(&fields, 13) + ticks(&fields, 14)
}

/// CPU seconds of this process.
pub(crate) fn own() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = fields(&stat);
    ticks(&fields, 11) + ticks(&fields, 12)
}

/// The most memory that this process has held at once, in bytes.
pub(crate) fn own_peak_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|peak| peak.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or_default() * 1024
}

struct Process {
    id: u32,
    parent: u32,
    name: String,
    /// Its own, and those of its children that have ended.
    seconds: f64,
}

fn processes() -> HashMap<u32, Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter_map(|id| Some((id, process(id)?))).collect()
}

fn process(id: u32) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let name = match &stat[stat.find('(')? + 1..stat.rfind(')')?] {
        "spanfleet" => format!("{OURS}{}", first_argument(id)?),
        name => name.to_owned(),
    };
    let fields = fields(&stat);
    let seconds = [11, 12, 13, 14].into_iter().map(|at| ticks(&fields, at)).sum();
    Some(Process { id, parent: fields.get(1)?.parse().ok()?, name, seconds })
}

fn first_argument(id: u32) -> Option<String> {
    fs::read_to_string(format!("/proc/{id}/cmdline")).ok()?.split('\0').nth(1).map(str::to_owned)
}

/// The fields of `/proc/PID/stat` after the name, beginning with the state.
fn fields(stat: &str) -> Vec<&str> {
    stat.rsplit_once(')').map_or(Vec::new(), |(_, rest)| rest.split_whitespace().collect())
}

fn ticks(fields: &[&str], at: usize) -> f64 {
    fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or_default() / TICKS_PER_SECOND
}

fn is_below(mut id: u32, root: u32, processes: &HashMap<u32, Process>) -> bool {
    while let Some(process) = processes.get(&id) {
        if process.parent == root {
            return true;
        }
        id = process.parent;
    }
    false
}
