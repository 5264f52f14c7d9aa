//! Results on standard output. A reader that has gone (`… | head`) is no error: what nobody reads need not be
//! written; `println!` would panic.

macro_rules! out {
    ($($what:tt)*) => {{
        use std::io::Write as _;
        let _ = write!(std::io::stdout(), $($what)*);
    }};
}

macro_rules! outln {
    ($($what:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($what)*);
    }};
}
