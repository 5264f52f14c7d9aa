//! Cells to JSON: an object per row, the same keys in the same order in every one.

use super::{Cell, Column, Kind};
use crate::support::record::{float_or_null, string};

/// Appends a row as an object, without a line break.
pub(super) fn write_object(columns: &[Column], cells: &[Cell<'_>], out: &mut Vec<u8>) {
    out.push(b'{');
    for (at, (column, cell)) in columns.iter().zip(cells).enumerate() {
        if at > 0 {
            out.push(b',');
        }
        string(column.name, out);
        out.push(b':');
        write_cell(&column.kind, cell, out);
    }
    out.push(b'}');
}

fn write_cell(kind: &Kind, cell: &Cell<'_>, out: &mut Vec<u8>) {
    match (kind, cell) {
        (_, Cell::Text(text)) => string(text, out),
        (_, Cell::Integer(number)) => {
            out.extend_from_slice(itoa::Buffer::new().format(*number).as_bytes());
        }
        (_, Cell::Float(number)) => float_or_null(Some(*number), out),
        (_, Cell::Time(time)) => string(&time.to_string(), out),
        (Kind::List(of), Cell::List(cells)) => {
            out.push(b'[');
            for (at, cell) in cells.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write_cell(of, cell, out);
            }
            out.push(b']');
        }
        (Kind::Struct(columns), Cell::Struct(cells)) => write_object(columns, cells, out),
        _ => out.extend_from_slice(b"null"),
    }
}
