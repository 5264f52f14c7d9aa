//! What an export can't be done without, as plain as can be: two binary COPY streams merged by text, written in
//! one format, compressed into a file. No losses, no counts, no queue, no retries: the product is measured by
//! how little it costs beyond this.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use futures_util::Stream;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Row};

mod conll;
mod csv;
mod jsonl;
mod rows;
mod sink;

use rows::Rows;
pub(crate) use sink::Sink;

/// One loop: what, through which compressor, on how many threads.
#[derive(Clone, Debug)]
pub(crate) struct Bare {
    pub(crate) format: String,
    pub(crate) compressor: String,
    pub(crate) level: i32,
    pub(crate) threads: i64,
}

/// An annotation as its row has it.
#[derive(Default)]
struct Annotation {
    id: String,
    label: i64,
    annotator: i64,
    start: usize,
    end: usize,
    confidence: f64,
    created_at: i64,
}

/// Names by id.
struct Names {
    labels: HashMap<i64, String>,
    people: HashMap<i64, String>,
}

/// The columns that each of two COPYs reads for a format: of texts, of annotations.
pub(crate) fn columns(format: &str) -> (&'static str, &'static str) {
    match format {
        "conll" => ("id, content", "text_id, label_id, start_char, end_char"),
        _ => (
            "id, content, external_id",
            "text_id, label_id, start_char, end_char, external_id, annotator_id, confidence_score, created_at",
        ),
    }
}

/// The two statements for the texts of a range.
pub(crate) fn copies(format: &str, after: i64, through: i64) -> [String; 2] {
    let (texts, annotations) = columns(format);
    [
        format!(
            "COPY (SELECT {texts} FROM texts WHERE id > {after} AND id <= {through} ORDER BY id) \
             TO STDOUT (FORMAT binary)"
        ),
        format!(
            "COPY (SELECT {annotations} FROM annotations WHERE text_id > {after} AND text_id <= {through} \
             ORDER BY text_id, id) TO STDOUT (FORMAT binary)"
        ),
    ]
}

/// The ends of so many ranges of almost equal count.
pub(crate) async fn cut(database: &str, parts: i64) -> Vec<(i64, i64)> {
    let mut connection = PgConnection::connect(database).await.expect("PostgreSQL is there");
    let row = sqlx::query("SELECT min(id), max(id) FROM texts").fetch_one(&mut connection).await;
    let row = row.expect("there are texts");
    let (first, last): (i64, i64) = (row.get(0), row.get(1));
    let (before, texts) = (first - 1, last - first + 1);
    let end = |part: i64| before + texts * part / parts;
    (0..parts).map(|part| (end(part), end(part + 1))).collect()
}

/// Runs one loop; one file per thread in the folder.
pub(crate) fn run(bare: &Bare, database: &str, folder: &Path) {
    let runtime = || {
        let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
        built.expect("a runtime can be built")
    };
    let ranges = runtime().block_on(cut(database, bare.threads));
    std::thread::scope(|scope| {
        for (part, (after, through)) in ranges.into_iter().enumerate() {
            let path = file(folder, part);
            scope.spawn(move || runtime().block_on(write(bare, database, &path, after, through)));
        }
    });
}

/// The file of one thread.
pub(crate) fn file(folder: &Path, part: usize) -> PathBuf {
    folder.join(format!("bare-{part}"))
}

async fn write(bare: &Bare, database: &str, path: &Path, after: i64, through: i64) {
    let connect = || async { PgConnection::connect(database).await.expect("PostgreSQL is there") };
    let (mut one, mut other) = (connect().await, connect().await);
    // As the product reads: rows in the order of an index from the first on.
    for connection in [&mut one, &mut other] {
        sqlx::raw_sql("SET jit = off; SET max_parallel_workers_per_gather = 0; SET enable_sort = off")
            .execute(connection)
            .await
            .expect("settings are known");
    }
    let names = names(&mut one).await;
    let [texts, annotations] = copies(&bare.format, after, through);
    let texts = one.copy_out_raw(&texts).await.expect("texts can be read");
    let annotations = other.copy_out_raw(&annotations).await.expect("annotations can be read");
    let mut sink = Sink::create(path, &bare.compressor, bare.level).expect("the file can be made");
    merge(bare, Rows::new(texts), Rows::new(annotations), &names, &mut sink).await;
    sink.finish().expect("the file can be written");
}

async fn names(connection: &mut PgConnection) -> Names {
    let mut read = async |sql: &'static str| -> HashMap<i64, String> {
        let rows =
            sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut *connection).await.expect("names can be read");
        rows.iter().map(|row| (row.get::<i64, _>(0), row.get::<String, _>(1))).collect()
    };
    Names {
        labels: read("SELECT id::int8, name FROM labels").await,
        people: read("SELECT id::int8, name FROM users").await,
    }
}

async fn merge<B: AsRef<[u8]>>(
    bare: &Bare,
    mut texts: Rows<impl Stream<Item = sqlx::Result<B>> + Unpin, B>,
    mut annotations: Rows<impl Stream<Item = sqlx::Result<B>> + Unpin, B>,
    names: &Names,
    sink: &mut Sink,
) {
    let is_lean = bare.format == "conll";
    let (mut out, mut of_text, mut content, mut id) = (Vec::new(), Vec::new(), String::new(), String::new());
    let mut waiting = if annotations.advance().await { Some(annotations.integer()) } else { None };
    while texts.advance().await {
        let text = texts.integer();
        content.clear();
        content.push_str(texts.text());
        if !is_lean {
            id.clear();
            id.push_str(texts.text());
        }
        of_text.clear();
        while waiting == Some(text) {
            let mut annotation = Annotation {
                label: annotations.integer(),
                start: annotations.integer() as usize,
                end: annotations.integer() as usize,
                ..Annotation::default()
            };
            if !is_lean {
                annotations.text().clone_into(&mut annotation.id);
                annotation.annotator = annotations.integer();
                annotation.confidence = annotations.number();
                annotation.created_at = annotations.integer();
            }
            of_text.push(annotation);
            waiting = if annotations.advance().await { Some(annotations.integer()) } else { None };
        }
        match bare.format.as_str() {
            "conll" => conll::write(&content, &mut of_text, names, &mut out),
            "jsonl" => jsonl::write(&id, &content, &of_text, names, &mut out),
            _ => csv::write(&id, &content, &of_text, names, &mut out),
        }
        if out.len() >= Sink::block_bytes() {
            sink.write(&out).expect("the file can be written");
            out.clear();
        }
    }
    sink.write(&out).expect("the file can be written");
}

/// A time as RFC 3339, from microseconds since 2000; the corpus has whole seconds of one month.
fn write_time(micros: i64, out: &mut Vec<u8>) {
    use std::io::Write as _;
    // 2026-03-01 is 9,556 days after 2000-01-01.
    let seconds = micros / 1_000_000 - 9_556 * 86_400;
    let (day, rest) = (1 + seconds / 86_400, seconds % 86_400);
    // Writing into memory does not fail.
    let _ = write!(out, "2026-03-{day:02}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60);
}
