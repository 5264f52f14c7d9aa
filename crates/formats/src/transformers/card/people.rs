//! The data card for people: labels, lengths, annotators, agreement, losses.

use std::fmt::Write as _;

use spanfleet_core::card::{Card, Lengths};

use crate::Outcome;

/// Labels that are listed; the manifest has all.
const LABELS_SHOWN: usize = 100;

/// Appends what there is to tell. Writing into memory can't fail.
pub(super) fn write(outcome: &Outcome<'_>, out: &mut String) {
    let card = outcome.card;
    write_labels(card, out);
    write_lengths(card, out);
    write_annotators(card, out);
    write_agreement(card, out);
    write_splits(card, out);
    write_losses(outcome, out);
}

fn write_labels(card: &Card, out: &mut String) {
    if card.labels.is_empty() {
        return;
    }
    let splits: Vec<&String> = card.splits.keys().collect();
    let head = splits.iter().fold(String::new(), |head, split| head + " " + split + " |");
    let line = " --: |".repeat(splits.len());
    let _ = write!(
        out,
        "\n## Labels\n\n| label | annotations | share | texts |{head}\n| --- | --: | --: | --: |{line}\n"
    );
    for label in card.labels.iter().take(LABELS_SHOWN) {
        let of_split = |split: &String| label.splits.get(split).copied().unwrap_or(0).to_string();
        let by_split = splits.iter().fold(String::new(), |row, split| row + " " + &of_split(split) + " |");
        let _ = writeln!(
            out,
            "| {} | {} | {:.1} % | {} |{by_split}",
            cell(&label.label),
            label.annotations,
            label.share * 100.0,
            label.texts
        );
    }
    if card.labels.len() > LABELS_SHOWN {
        let _ = writeln!(out, "\n{} more in `manifest.json`.", card.labels.len() - LABELS_SHOWN);
    }
    if let Some(balance) = &card.class_balance {
        let (most, fewest) = (&balance.most, &balance.fewest);
        let _ = writeln!(
            out,
            "\nMost: {} ({}). Fewest: {} ({}).",
            cell(&most.label),
            most.annotations,
            cell(&fewest.label),
            fewest.annotations
        );
    }
}

fn write_lengths(card: &Card, out: &mut String) {
    let rows = [("text", &card.text_chars), ("span", &card.span_chars)];
    if rows.iter().all(|(_, lengths)| lengths.is_none()) {
        return;
    }
    out.push_str("\n## Lengths\n\nCode points.\n\n| of a | mean | min | 5 % | 25 % | 50 % | 75 % | 95 % | 99 % | max |\n");
    out.push_str("| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |\n");
    for (name, lengths) in rows {
        if let Some(Lengths { mean, min, p05, p25, p50, p75, p95, p99, max, .. }) = lengths {
            let _ = writeln!(
                out,
                "| {name} | {mean:.1} | {min} | {p05} | {p25} | {p50} | {p75} | {p95} | {p99} | {max} |"
            );
        }
    }
}

fn write_annotators(card: &Card, out: &mut String) {
    if card.annotators.is_empty() {
        return;
    }
    out.push_str("\n## Annotators\n\nWhat was selected of theirs.\n\n| annotator | texts | annotations |\n| --- | --: | --: |\n");
    for annotator in &card.annotators {
        let (name, tally) = (cell(&annotator.name), annotator.tally);
        let _ = writeln!(out, "| {name} | {} | {} |", tally.texts, tally.annotations);
    }
    let more = card.annotators_in_all.saturating_sub(card.annotators.len() as u64);
    if more > 0 {
        let _ = writeln!(out, "\n{more} more, who made less.");
    }
}

fn write_agreement(card: &Card, out: &mut String) {
    let Some(agreement) = &card.agreement else { return };
    let figure = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.3}"));
    let _ = write!(
        out,
        "\n## Agreement\n\n{} texts have several annotators, who marked {} different extents. Krippendorff's alpha \
         (nominal, over the extents that anybody marked): {}. F1 between annotators, extent and label equal: {}.\n\n\
         | label | F1 |\n| --- | --: |\n",
        agreement.texts,
        agreement.units,
        figure(agreement.krippendorff_alpha),
        figure(agreement.f1)
    );
    for (label, f1) in agreement.labels.iter().take(LABELS_SHOWN) {
        let _ = writeln!(out, "| {} | {} |", cell(label), figure(*f1));
    }
}

fn write_splits(card: &Card, out: &mut String) {
    if let Some(leakage) = &card.leakage {
        let _ = writeln!(
            out,
            "\n## Leakage\n\n{} texts nearly stand in another split too: {}.",
            leakage.texts, leakage.definition
        );
    }
    if let Some(found) = &card.stratification {
        let words = if found.is_within_tolerance { "within" } else { "not within" };
        let _ = writeln!(
            out,
            "\nSplits are stratified by label: every label is {words} {} of the shares asked for, and one text.",
            found.tolerance
        );
    }
}

fn write_losses(outcome: &Outcome<'_>, out: &mut String) {
    let (losses, changes) = (outcome.ledger.losses(0), outcome.ledger.changes(0));
    if losses.is_empty() && changes.is_empty() {
        return;
    }
    out.push_str("\n## Losses and changes\n\n| what | reason | count |\n| --- | --- | --: |\n");
    for loss in losses {
        let _ = writeln!(out, "| {} lost | {} | {} |", loss.kind.as_str(), loss.reason.as_str(), loss.count);
    }
    for change in changes {
        let _ = writeln!(
            out,
            "| {} changed | {} | {} |",
            change.kind.as_str(),
            change.reason.as_str(),
            change.count
        );
    }
}

/// A name as a cell of a table: one line, no bars, no markup.
fn cell(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for character in name.chars() {
        match character {
            '|' | '<' | '>' | '*' | '_' | '`' | '[' | ']' | '\\' | '&' => out.extend(['\\', character]),
            _ if character.is_control() => out.push(' '),
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_in_its_cell() {
        assert_eq!(cell("a|b\nc <i>"), "a\\|b c \\<i\\>");
    }
}
