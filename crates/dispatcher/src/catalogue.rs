//! The built-in rows of `export_formats`, made from the catalogue of formats.

use serde_json::json;
use spanfleet_formats::Entry;
use spanfleet_metastore::{FormatRow, Metastore, MetastoreError};

/// Brings the stored catalogue to this version's.
pub async fn sync(metastore: &dyn Metastore) -> Result<(), MetastoreError> {
    let rows: Vec<FormatRow> = spanfleet_formats::all().iter().map(row).collect();
    metastore.sync_formats(&rows).await
}

/// The row of one format.
fn row(entry: &Entry) -> FormatRow {
    let info = &entry.info;
    FormatRow {
        id: 0,
        format_name: info.name.to_owned(),
        format_type: info.kind.to_owned(),
        format_schema: (info.schema)(),
        transformation_rules: serde_json::Map::new(),
        output_structure: json!({}),
        is_ml_ready: info.is_ml_ready,
        supports_streaming: info.supports_streaming,
        compression_options: info.compression_options(),
        file_extensions: info.extensions(),
        metadata: json!({"title": info.title, "version": info.version, "media_type": info.media_type}),
    }
}
