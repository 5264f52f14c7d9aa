//! Artifacts of a job.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /export/jobs/{job_uuid}/files`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Files {
    /// Every artifact, the manifest included.
    pub files: Vec<Artifact>,
}

/// One artifact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Artifact {
    /// Path below the job's root.
    pub path: String,
    /// The split it belongs to; absent for files beside the data.
    pub split: Option<String>,
    /// Size.
    pub bytes: u64,
    /// SHA-256 in hex.
    pub sha256: String,
    /// Texts in it.
    pub texts: u64,
    /// Annotations in it.
    pub annotations: u64,
    /// Where to fetch it: a path of this API that counts and redirects.
    pub link: String,
}

/// `GET /export/jobs/{job_uuid}/download`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DownloadQuery {
    /// Which artifact; may be left out when there is one data file.
    pub file: Option<String>,
}
