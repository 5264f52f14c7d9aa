//! `bench [PART…]` measures the release build of Spanfleet against the limits of its database, against bare loops
//! and against the best that Python does, on the servers that `with-servers` started; `bench report` writes
//! `docs/performance.md` from what was measured. `make bench` does both.

mod bare;
mod bars;
mod corpus;
mod cpu;
mod parts;
mod plot;
mod report;
mod stage;

use std::path::Path;

use bare::Bare;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["report"] => report::write(),
        ["corpus", texts, folder] => {
            let path = corpus::generate(Path::new(folder), texts.parse().expect("TEXTS is a number"));
            println!("{}", path.expect("the folder can be written").display());
        }
        // One loop in a process of its own, so that its CPU and memory are told apart.
        ["bare", format, compressor, level, threads, database, folder] => {
            let bare = Bare {
                format: (*format).to_owned(),
                compressor: (*compressor).to_owned(),
                level: level.parse().expect("LEVEL is a number"),
                threads: threads.parse().expect("THREADS is a number"),
            };
            bare::run(&bare, database, Path::new(folder));
            println!("{}", cpu::own_peak_bytes());
        }
        ["compress", name, level, file] => {
            parts::compression::compress(name, level.parse().expect("LEVEL is a number"), Path::new(file));
        }
        ["parse", level, corpus, out] => {
            parts::one_shot::parse(
                level.parse().expect("LEVEL is a number"),
                Path::new(corpus),
                Path::new(out),
            );
        }
        ["client", bucket] => parts::store::work(bucket),
        wanted => parts::run(wanted),
    }
}
