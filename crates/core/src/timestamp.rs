//! An instant in UTC, to the microsecond, as PostgreSQL keeps it.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::{
    Date, OffsetDateTime, PrimitiveDateTime, format_description::well_known::Rfc3339,
    macros::format_description,
};

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From microseconds since the Unix epoch.
    pub const fn from_micros(micros: i64) -> Timestamp {
        Timestamp(micros)
    }

    /// Microseconds since the Unix epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Reads RFC 3339, a date and time without an offset (taken as UTC), or a date (its first instant).
    pub fn parse(text: &str) -> Option<Timestamp> {
        if let Ok(moment) = OffsetDateTime::parse(text, &Rfc3339) {
            return Some(moment.into());
        }
        let spaced = text.replacen(' ', "T", 1);
        let plain = format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second][optional [.[subsecond digits:1+]]]"
        );
        if let Ok(moment) = PrimitiveDateTime::parse(&spaced, &plain) {
            return Some(moment.assume_utc().into());
        }
        if let Ok(moment) = OffsetDateTime::parse(&spaced, &Rfc3339) {
            return Some(moment.into());
        }
        let day = Date::parse(text, &format_description!("[year]-[month]-[day]")).ok()?;
        Some(day.midnight().assume_utc().into())
    }

    /// The same instant as the `time` crate's type.
    pub fn to_datetime(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

impl From<OffsetDateTime> for Timestamp {
    fn from(moment: OffsetDateTime) -> Timestamp {
        Timestamp((moment.unix_timestamp_nanos() / 1000) as i64)
    }
}

/// RFC 3339 in UTC with `Z`; the fraction only when there is one, without trailing zeros.
///
/// Every annotation of a record has one: digits are set in place, for the formatting machinery takes four times as
/// long.
impl fmt::Display for Timestamp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = self.to_datetime();
        let (hour, minute, second, micros) = moment.to_hms_micro();
        let Ok(year @ 0..=9999) = u32::try_from(moment.year()) else { return write_far(moment, out) };
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        let fields = [
            (0..4, year),
            (5..7, u8::from(moment.month()).into()),
            (8..10, moment.day().into()),
            (11..13, hour.into()),
            (14..16, minute.into()),
            (17..19, second.into()),
            (20..26, micros),
        ];
        for (place, value) in fields {
            set_digits(&mut text[place], value);
        }
        let mut end = SECONDS_END;
        if micros > 0 {
            end = text
                .iter()
                .rposition(|byte| (b'1'..=b'9').contains(byte))
                .map_or(SECONDS_END, |last| last + 1);
        }
        text[end] = b'Z';
        out.write_str(std::str::from_utf8(&text[..=end]).map_err(|_| fmt::Error)?)
    }
}

/// Where the seconds end in RFC 3339.
const SECONDS_END: usize = 19;

fn set_digits(place: &mut [u8], mut value: u32) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

/// Years that have no four digits.
fn write_far(moment: OffsetDateTime, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (hour, minute, second, micros) = moment.to_hms_micro();
    write!(out, "{:04}-{:02}-{:02}T", moment.year(), u8::from(moment.month()), moment.day())?;
    write!(out, "{hour:02}:{minute:02}:{second:02}")?;
    if micros > 0 {
        write!(out, ".{}", format!("{micros:06}").trim_end_matches('0'))?;
    }
    out.write_str("Z")
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(from)?;
        Timestamp::parse(&text)
            .ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not an RFC 3339 time")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &str, expected: &str) {
        assert_eq!(Timestamp::parse(input).unwrap().to_string(), expected, "{input}");
    }

    #[test]
    fn reads_and_writes_utc() {
        check("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z");
        check("2026-01-02T03:04:05.120+02:00", "2026-01-02T01:04:05.12Z");
        check("2026-01-02 03:04:05", "2026-01-02T03:04:05Z");
        check("2026-01-02T03:04:05.5", "2026-01-02T03:04:05.5Z");
        check("2026-01-02", "2026-01-02T00:00:00Z");
        check("1999-12-31T23:59:59.000001Z", "1999-12-31T23:59:59.000001Z");
        check("0001-01-01T00:00:00.9Z", "0001-01-01T00:00:00.9Z");
        assert_eq!(Timestamp::parse("yesterday"), None);
    }
}
