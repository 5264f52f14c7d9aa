//! Times every loop.

use criterion::Criterion;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    for mut path in spanfleet_hot_paths::all() {
        criterion.bench_function(&path.name.clone(), |bencher| bencher.iter(|| path.run()));
    }
    criterion.final_summary();
}
