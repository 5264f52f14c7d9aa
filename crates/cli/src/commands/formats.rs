//! `spanfleet formats`: what can be exported, and every export parameter.

use serde_json::json;
use spanfleet_core::options::OPTIONS;

use crate::failure::Failure;

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
