//! Addresses as spaCy's `URL_MATCH` knows them, of the web and of mail: they stay whole.

/// The most characters of a part of a host's name, and of its last part.
const MOST_LABEL_CHARS: usize = 64;
const MOST_ENDING_CHARS: usize = 63;

/// Whether a run without white space is an address: `[scheme://][user@]host[:port][/…]`. `is_lower`: the letters
/// that the last part of a host is made of.
pub(super) fn is_url(run: &str, is_lower: impl Fn(char) -> bool) -> bool {
    // Every host has a full stop.
    if !run.contains('.') {
        return false;
    }
    let is_rest = |rest: &str| is_host_and_rest(rest, &is_lower);
    let is_any = |rest: &str| {
        is_rest(rest) || rest.match_indices('@').any(|(at, _)| at > 0 && is_rest(&rest[at + 1..]))
    };
    is_any(run) || after_scheme(run).is_some_and(is_any)
}

fn after_scheme(run: &str) -> Option<&str> {
    let (scheme, rest) = run.split_once("://")?;
    let is_part = |character: char| character.is_alphanumeric() || matches!(character, '_' | '+' | '-' | '.');
    (scheme.chars().count() >= 2 && scheme.chars().all(is_part)).then_some(rest)
}

fn is_host_and_rest(text: &str, is_lower: impl Fn(char) -> bool) -> bool {
    let end = text.find([':', '/', '?', '#']).unwrap_or(text.len());
    let (host, rest) = text.split_at(end);
    (is_name(host, is_lower) || is_number(host)) && is_end(rest)
}

/// A port, and a path, a query or a fragment.
fn is_end(rest: &str) -> bool {
    let path = match rest.strip_prefix(':') {
        None => rest,
        Some(port) => {
            let path = port.trim_start_matches(|digit: char| digit.is_ascii_digit());
            if !(2..=5).contains(&(port.len() - path.len())) {
                return false;
            }
            path
        }
    };
    path.is_empty() || path.starts_with(['/', '?', '#'])
}

/// Labels with full stops between, the last one of letters.
fn is_name(host: &str, is_lower: impl Fn(char) -> bool) -> bool {
    let Some((labels, ending)) = host.rsplit_once('.') else { return false };
    let is_ending = (2..=MOST_ENDING_CHARS).contains(&ending.chars().count()) && ending.chars().all(is_lower);
    is_ending && labels.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    let is_edge =
        |character: char| character.is_ascii_alphanumeric() || ('\u{a1}'..='\u{ffff}').contains(&character);
    let is_inner = |character: char| is_edge(character) || matches!(character, '-' | '_');
    label.starts_with(is_edge)
        && label.ends_with(is_edge)
        && label.chars().all(is_inner)
        && label.chars().count() <= MOST_LABEL_CHARS
}

/// An address of IPv4 that is not of a private network.
fn is_number(host: &str) -> bool {
    let is_digits =
        |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = host.split('.').collect();
    let &[first, second, third, fourth] = parts.as_slice() else { return false };
    if !parts.iter().all(|part| is_digits(part)) || first.starts_with('0') || fourth.starts_with('0') {
        return false;
    }
    let numbers: Vec<u16> = parts.iter().filter_map(|part| part.parse().ok()).collect();
    let is_private = match (numbers[0], numbers[1]) {
        (10 | 127, _) | (169, 254) | (192, 168) => true,
        (172, second) => (16..=31).contains(&second),
        _ => false,
    };
    let is_part = |part: &str, number: u16| number <= 255 && (part.len() < 3 || !part.starts_with('0'));
    !is_private
        && numbers[0] <= 223
        && is_part(second, numbers[1])
        && is_part(third, numbers[2])
        && numbers[3] <= 254
}
