//! Laws over mutated originals and seeds: no panic, no hang, nothing lost, and the same from any record on.

use proptest::prelude::*;
use spanfleet_core::Kind;

use super::*;

/// Files of each format, small enough to be changed everywhere.
const SEEDS: &[&str] = &[
    "{\"id\":\"a\",\"text\":\"Ada 😀 met\",\"annotations\":[{\"id\":\"x\",\"start\":0,\"end\":3,\"label\":\"P\"}],\
     \"relations\":[{\"source\":\"x\",\"target\":\"x\",\"type\":\"t\"}],\"tokens\":[{\"start\":0,\"end\":3}]}\n{\"text\":\"b\"}\n",
    "-DOCSTART-\n\nAda B-PER\n😀 I-PER\n\nmet O\nBo I-PER\n",
    "# newdoc\n# text = Ada met\n1\tAda\t_\tX\t_\t_\t_\t_\t_\tNER=B-P\n2\tmet\t_\tX\t_\t_\t_\t_\t_\t_\n\n# text = a\n1\ta\t_\tX\t_\t_\t_\t_\t_\t_\n",
    "T1\tPER 0 3\tAda\nE1\tMeet:T1 Who:T1\nA1\tSure T1\nR1\tr Arg1:T1 Arg2:E1\n#1\tN T1\tx\n*\tEquiv T1 E1\n",
    "{\"text\":\"Ada 😀 met\",\"label\":[[0,3,\"P\"],[4,6,\"Q\"]],\"cats\":[\"c\"]}\n{\"text\":\"b\",\"entities\":[{\"id\":1,\
     \"start_offset\":0,\"end_offset\":1,\"label\":\"P\"}],\"relations\":[{\"from_id\":1,\"to_id\":1,\"type\":\"t\"}]}\n",
    "{\"text\":\"Ada met\",\"_input_hash\":1,\"spans\":[{\"start\":0,\"end\":3,\"text\":\"Ada\",\"label\":\"P\"}],\"tokens\":[{\"start\":0,\
     \"end\":3}],\"relations\":[{\"head\":0,\"child\":0,\"label\":\"r\"}],\"accept\":[\"y\"],\"answer\":\"accept\"}\n",
    "[{\"id\":1,\"data\":{\"text\":\"Ada 😀 met\"},\"annotations\":[{\"completed_by\":1,\"result\":[{\"id\":\"x\",\"type\":\"labels\",\
     \"value\":{\"start\":4,\"end\":6,\"text\":\"😀\",\"labels\":[\"P\"]}},{\"type\":\"relation\",\"from_id\":\"x\",\"to_id\":\"x\"}]}]},\n\
     {\"data\":{\"text\":\"b\"}}]",
    "{\"version\":\"1.1\",\"data\":[{\"title\":\"t\",\"paragraphs\":[{\"context\":\"Ada met\",\"qas\":[{\"id\":\"q\",\"question\":\"?\",\
     \"answers\":[{\"answer_start\":0,\"text\":\"Ada\"}]},{\"id\":\"r\",\"question\":\"?\",\"answers\":[]}]}]},{\"paragraphs\":[]}]}",
    "#FORMAT=WebAnno TSV 3.3\n#T_SP=c.Span|value\n#T_SP=c.Host|ROLE_c.Host:links_c.Link|c.Span\n#T_CH=c.Chain|referenceRelation|\
     referenceType\n#T_RL=c.Rel|value|BT_c.Span\n\n\n#Text=😀 Ada\n1-1\t0-2\t😀\tP[1]|Q[2]\tp1;p2\t1-1[1];1-2\t*->1-1\t*[1]\t_\t_\t\n\
     1-2\t3-6\tAda\tP[1]\t_\t_\t*->1-2\t*[1]\tr\t1-1[1_0]\t\n1-2.1\t3-3\t\t*\t_\t_\t_\t_\t_\t_\t\n\n#Text=met\n2-1\t7-10\tmet\t_\t_\t_\t_\t_\t_\t_\t\n",
    "[[\"Ada 😀 met\",{\"entities\":[[0,3,\"P\"]],\"spans\":{\"sc\":[[4,5,\"Q\"]]},\"cats\":{\"c\":1.0}}],[\"b\",{}]]",
    "[{\"id\":1,\"paragraphs\":[{\"raw\":\"Ada met\",\"sentences\":[{\"tokens\":[{\"orth\":\"Ada\",\"ner\":\"U-P\"},{\"orth\":\"met\",\
     \"ner\":\"-\"}]}],\"cats\":[{\"label\":\"c\",\"value\":1}]}]},{\"text\":\"b\",\"ents\":[{\"start\":0,\"end\":1,\"label\":\"P\"}],\
     \"tokens\":[{\"start\":0,\"end\":1,\"tag\":\"X\"}]}]",
    "{\"sourcedb\":\"P\",\"sourceid\":1,\"divid\":2,\"text\":\"Ada 😀 met\",\"project\":\"q\",\"denotations\":[{\"id\":\"T1\",\
     \"span\":{\"begin\":0,\"end\":3},\"obj\":\"P\"},{\"id\":\"T2\",\"span\":[{\"begin\":0,\"end\":1},{\"begin\":4,\"end\":5}],\"obj\":\"Q\"}],\
     \"relations\":[{\"id\":\"R1\",\"subj\":\"T1\",\"pred\":\"r\",\"obj\":\"T2\"}],\"attributes\":[{\"subj\":\"T1\",\"pred\":\"a\",\"obj\":true}]}\n\
     {\"text\":\"b\",\"tracks\":[{\"project\":\"x\",\"denotations\":[]}]}\n",
];

/// Bytes with some of them changed, taken out or doubled.
pub(crate) fn mutated(seed: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let bytes = prop_oneof![prop::sample::select(b"\n\t \"',:[]{}0\\|_*".as_slice()), any::<u8>()];
    let change = (any::<prop::sample::Index>(), 0..4_u8, bytes);
    prop::collection::vec(change, 0..8).prop_map(move |changes| {
        let mut text = seed.clone();
        for (at, how, byte) in changes.into_iter().filter(|_| !seed.is_empty()) {
            if text.is_empty() {
                break;
            }
            let at = at.index(text.len());
            match how {
                0 => text[at] = byte,
                1 => text.insert(at, byte),
                2 => text.truncate(at.max(text.len() / 2)),
                _ => drop(text.remove(at)),
            }
        }
        text
    })
}

fn any_seed() -> impl Strategy<Value = Vec<u8>> {
    (0..SEEDS.len()).prop_flat_map(|seed| mutated(SEEDS[seed].as_bytes().to_vec()))
}

/// Reads bytes as every format that has records: each record makes its texts or is rejected, and stands where
/// its position says.
fn check_all(bytes: &[u8]) -> Result<(), TestCaseError> {
    let names = FileNames::new("x.ann");
    let text = b"Ada met".to_vec();
    let _ = brat::read(Pair {
        id: "x",
        text,
        text_names: &names,
        annotations: bytes,
        annotation_names: &names,
        hierarchy: &brat::Hierarchy::default(),
    });
    for format in InputFormat::ALL {
        if let Layout::Records(survey) = format.entry().layout {
            let dialect = survey(&mut &*bytes, &FormatOptions::default()).unwrap();
            check(bytes, &*dialect, has_many_texts(*format))?;
        }
    }
    Ok(())
}

/// A record of these holds any number of texts.
fn has_many_texts(format: InputFormat) -> bool {
    matches!(format.name(), "squad" | "spacy")
}

fn check(bytes: &[u8], dialect: &dyn Dialect, has_many_texts: bool) -> Result<(), TestCaseError> {
    let whole = read_all(bytes, dialect, "x");
    let texts = whole.iter().filter(|read| read.as_ref().is_ok_and(|_| true) || is_text(read)).count();
    let mut records = crate::Records::new(bytes, dialect.framing(), Position::default());
    let (mut count, mut positions) = (0, Vec::new());
    while let Some(record) = records.next_record().unwrap() {
        count += 1;
        positions.push(record.at);
    }
    prop_assert!(has_many_texts || texts == count, "{} texts of {} records", texts, count);
    for at in positions.iter().step_by((positions.len() / 4).max(1)).copied() {
        let rest = &bytes[at.byte as usize..];
        let mut reader = Reader::new(rest, dialect, &FileNames::new("x"), at);
        let again: Vec<_> = std::iter::from_fn(|| reader.next_document().unwrap()).collect();
        prop_assert!(whole.ends_with(&again), "from byte {}", at.byte);
    }
    keys_are_unique(&whole)
}

fn is_text(read: &Result<Document, Rejected>) -> bool {
    read.as_ref().is_err_and(|rejected| rejected.kind == Kind::Text)
}

fn keys_are_unique(read: &[Result<Document, Rejected>]) -> Result<(), TestCaseError> {
    let keys: Vec<_> =
        read.iter().filter_map(|read| read.as_ref().err()).map(|rejected| rejected.key).collect();
    let mut unique = keys.clone();
    unique.sort_unstable();
    unique.dedup();
    prop_assert_eq!(unique.len(), keys.len());
    Ok(())
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused_never_lost(bytes in any_seed()) {
        check_all(&bytes)?;
    }
}

/// Originals of up to so many bytes are mutated: enough for every trait, and many cases a second.
const MUTATED_BYTES: usize = 4000;

#[test]
fn mutated_originals_are_read_or_refused() {
    let Some(folder) = corpus("") else { return };
    let mut files = Vec::new();
    originals::files_below(&folder, &mut files);
    files.retain(|path| path.components().any(|part| part.as_os_str() == "original"));
    let files: Vec<Vec<u8>> = files.iter().map(|path| std::fs::read(path).unwrap()).collect();
    let cut = |file: &Vec<u8>| file[..file.len().min(MUTATED_BYTES)].to_vec();
    let seeds: Vec<Vec<u8>> = files.iter().filter(|file| !file.is_empty()).map(cut).collect();
    let mutants = (0..seeds.len()).prop_flat_map(move |nth| mutated(seeds[nth].clone()));
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(300));
    runner.run(&mutants, |bytes| check_all(&bytes)).unwrap();
}
