//! Runs every loop once, for a tool that counts: each in a call of [`counted`], in the order of the names that it
//! prints.

use spanfleet_hot_paths::{HotPath, all};

fn main() {
    for mut path in all() {
        println!("{}", path.name);
        counted(&mut path);
    }
}

/// What the tool looks for by name.
#[inline(never)]
fn counted(path: &mut HotPath) {
    path.run();
}
