//! `spanfleet formats`: what can be exported, and every export parameter; user-defined formats.

use std::{fs, path::Path};

use serde_json::json;
use spanfleet_api::NewFormat;
use spanfleet_core::options::OPTIONS;
use spanfleet_dispatcher::catalogue::custom_row;
use spanfleet_metastore::FormatRow;

use crate::{failure::Failure, wire::Wire};

pub(super) fn print(as_json: bool) -> Result<(), Failure> {
    if as_json {
        outln!("{}", serde_json::to_string_pretty(&catalogue())?);
        return Ok(());
    }
    outln!("Formats (--format):");
    for entry in spanfleet_formats::all() {
        outln!("  {:<14} {}", entry.info.name, entry.info.title);
    }
    outln!("\nExport parameters (--set key=value; the default comes first):");
    for option in OPTIONS {
        outln!("  {:<18} {}\n  {:<18} {}", option.key, option.values, "", option.meaning);
    }
    Ok(())
}

pub(super) async fn add(wire: &Wire, file: &Path) -> Result<(), Failure> {
    let row = read(file)?;
    let metastore = wire.ready_metastore().await?;
    metastore.sync_formats(std::slice::from_ref(&row)).await?;
    outln!("{} has the format `{}`", metastore.address(), row.format_name);
    Ok(())
}

/// A user-defined format, checked.
pub(super) fn read(file: &Path) -> Result<FormatRow, Failure> {
    let at = |error: String| Failure::usage(format!("`{}`: {error}", file.display()));
    let text = fs::read_to_string(file).map_err(|error| at(error.to_string()))?;
    let new: NewFormat = serde_json::from_str(&text).map_err(|error| at(error.to_string()))?;
    custom_row(new).map_err(|error| at(error.to_string()))
}

fn catalogue() -> serde_json::Value {
    let format = |entry: &spanfleet_formats::Entry| {
        let info = &entry.info;
        json!({
            "name": info.name,
            "type": info.kind,
            "title": info.title,
            "version": info.version,
            "media_type": info.media_type,
            "file_extensions": info.extensions(),
            "compression_options": info.compression_options(),
            "is_ml_ready": info.is_ml_ready,
            "supports_streaming": info.supports_streaming,
            "format_schema": (info.schema)(),
        })
    };
    let option = |option: &spanfleet_core::options::OptionInfo| json!({"key": option.key, "values": option.values, "meaning": option.meaning});
    json!({
        "formats": spanfleet_formats::all().iter().map(format).collect::<Vec<_>>(),
        "options": OPTIONS.iter().map(option).collect::<Vec<_>>(),
    })
}
