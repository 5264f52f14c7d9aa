//! The configuration that brat shows a collection with.

use super::lines::line;
use super::names::type_name;
use super::notes::Vocabulary;

/// `annotation.conf`: every type that annotations have. Its four sections must be there.
pub(super) fn annotation(words: &Vocabulary) -> String {
    let mut conf = "[entities]\n\n".to_owned();
    for label in &words.labels {
        line(&mut conf, format_args!("{}", type_name(label)));
    }
    conf.push_str("\n[relations]\n\n<OVERLAP>\tArg1:<ENTITY>, Arg2:<ENTITY>, <OVL-TYPE>:<ANY>\n");
    for kind in &words.relations {
        line(&mut conf, format_args!("{}\tArg1:<ENTITY>, Arg2:<ENTITY>", type_name(kind)));
    }
    conf.push_str("\n[events]\n\n");
    for (label, roles) in &words.events {
        let roles: Vec<_> = roles.iter().map(|role| format!("{}*:<ANY>", type_name(role))).collect();
        let separator = if roles.is_empty() { "" } else { "\t" };
        line(&mut conf, format_args!("{}{separator}{}", type_name(label), roles.join(", ")));
    }
    conf.push_str(if words.events.is_empty() { "[attributes]\n\n" } else { "\n[attributes]\n\n" });
    for (name, values) in &words.attributes {
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let values = if values.is_empty() { String::new() } else { format!(", Value:{}", values.join("|")) };
        line(&mut conf, format_args!("{}\tArg:<ENTITY>{values}", type_name(name)));
    }
    conf
}

/// `visual.conf`: the words themselves for types that had to be written otherwise; `None` when there are none.
pub(super) fn visual(words: &Vocabulary) -> Option<String> {
    let mut conf = "[labels]\n\n".to_owned();
    let before = conf.len();
    for word in words.labels.iter().chain(&words.relations).chain(words.attributes.keys()) {
        let name = type_name(word);
        if name != *word && !word.contains(|character: char| character.is_control() || character == '|') {
            line(&mut conf, format_args!("{name} | {word}"));
        }
    }
    (conf.len() > before).then_some(conf)
}
