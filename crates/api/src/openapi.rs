//! What the API is, for machines: OpenAPI 3.1. Schemas come from the types, paths from [`CALLS`].

use serde_json::{Map, Value, json};
use utoipa::OpenApi;

/// One call of the API.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// The method, in lower case.
    pub method: &'static str,
    /// The path, with parameters in braces.
    pub path: &'static str,
    /// What it does.
    pub summary: &'static str,
    /// Name and meaning of each query parameter.
    pub query: &'static [(&'static str, &'static str)],
    /// The schema of the body, if it takes one.
    pub body: Option<&'static str>,
    /// Status, media type and schema of its success; an empty media type is an empty body.
    pub success: (u16, &'static str, Option<&'static str>),
    /// Statuses of its problems, beside 401.
    pub problems: &'static [u16],
}

const JSON: &str = "application/json";

const fn get(path: &'static str, summary: &'static str, schema: Option<&'static str>) -> Call {
    Call { method: "get", path, summary, query: &[], body: None, success: (200, JSON, schema), problems: &[] }
}

const fn about_job(mut call: Call, method: &'static str, problems: &'static [u16]) -> Call {
    call.method = method;
    call.problems = problems;
    call
}

/// Every call that takes a token.
pub const CALLS: &[Call] = &[
    Call {
        method: "post",
        body: Some("CreateJob"),
        success: (201, JSON, Some("Job")),
        problems: &[400, 403, 404, 409, 413, 422],
        ..get(
            "/export/create-job",
            "Ask for an export; `Idempotency-Key` makes a repeat return the first job",
            None,
        )
    },
    Call {
        method: "post",
        query: &[("texts", "How many texts, 1 to 100")],
        body: Some("CreateJob"),
        success: (200, JSON, Some("Preview")),
        problems: &[400, 403, 404, 422],
        ..get("/export/preview", "The first records of an export, encoded, without a job", None)
    },
    Call {
        query: &[
            ("framework", "Only formats that a template of this framework uses"),
            ("task_type", "Only formats that a template of this task uses"),
            ("ml_ready", "Only formats that are, or are not, ready for training"),
        ],
        problems: &[422],
        ..get("/export/formats", "What can be exported", Some("Formats"))
    },
    Call {
        method: "post",
        body: Some("NewFormat"),
        success: (201, JSON, Some("Format")),
        problems: &[400, 403, 413, 422],
        ..get("/export/formats", "Add a user-defined format; for administrators", None)
    },
    Call {
        query: &[("framework", "Only this framework's"), ("task_type", "Only this task's")],
        problems: &[422],
        ..get(
            "/export/templates/ml",
            "Formats with parameters and a loader for each framework and task",
            Some("Templates"),
        )
    },
    Call {
        query: &[
            ("project_id", "Only jobs on this project"),
            ("status", "Only jobs with this status"),
            ("limit", "At most so many, 1 to 500"),
            ("cursor", "Where the last page ended"),
        ],
        problems: &[403, 422],
        ..get("/export/jobs", "Own jobs, newest first", Some("Jobs"))
    },
    about_job(get("/export/jobs/{job_uuid}", "One job", Some("Job")), "get", &[403, 404]),
    about_job(
        get("/export/jobs/{job_uuid}", "Remove its artifacts now", Some("Job")),
        "delete",
        &[403, 404, 409],
    ),
    Call {
        success: (200, "text/event-stream", None),
        ..about_job(
            get("/export/jobs/{job_uuid}/events", "Its progress until it ends, as Server-Sent Events", None),
            "get",
            &[403, 404],
        )
    },
    about_job(get("/export/jobs/{job_uuid}/cancel", "Stop it", Some("Job")), "post", &[403, 404, 409]),
    about_job(
        get(
            "/export/jobs/{job_uuid}/retry",
            "Run a failed one again, from its finished partitions",
            Some("Job"),
        ),
        "post",
        &[403, 404, 409],
    ),
    about_job(
        get("/export/jobs/{job_uuid}/files", "Its artifacts", Some("Files")),
        "get",
        &[403, 404, 409, 410],
    ),
    about_job(get("/export/jobs/{job_uuid}/manifest", "Its manifest", None), "get", &[403, 404, 409, 410]),
    Call {
        query: &[("file", "Which artifact; may be left out when there is one data file")],
        success: (302, "", None),
        ..about_job(
            get("/export/jobs/{job_uuid}/download", "A link to an artifact that lives for minutes", None),
            "get",
            &[403, 404, 409, 410],
        )
    },
];

#[derive(OpenApi)]
#[openapi(components(schemas(
    crate::CreateJob,
    crate::Preview,
    crate::Job,
    crate::Jobs,
    crate::Files,
    crate::Artifact,
    crate::Partitions,
    crate::Format,
    crate::NewFormat,
    crate::Template,
    crate::Problem
)))]
struct Schemas;

/// The document, for a version of the program.
pub fn document(version: &str) -> Value {
    let schemas = serde_json::to_value(Schemas::openapi()).unwrap_or_default();
    let mut schemas = schemas["components"]["schemas"].clone();
    for (list, item) in [("Formats", "Format"), ("Templates", "Template")] {
        schemas[list] = json!({"type": "array", "items": reference(item)});
    }
    let mut paths = Map::new();
    for call in CALLS {
        let path = paths.entry(call.path).or_insert_with(|| json!({}));
        path[call.method] = operation(call);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Spanfleet",
            "version": version,
            "description": "Turns annotation databases into training data.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}
        },
        "paths": paths,
        "security": [{"token": []}],
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "sf_…"}},
            "schemas": schemas
        }
    })
}

fn reference(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

fn operation(call: &Call) -> Value {
    let (status, media_type, schema) = call.success;
    let content = match (media_type, schema) {
        ("", _) => json!({}),
        (media_type, Some(schema)) => json!({media_type: {"schema": reference(schema)}}),
        (media_type, None) => json!({media_type: {}}),
    };
    let mut responses = Map::new();
    responses.insert(status.to_string(), json!({"description": "Success", "content": content}));
    for problem in call.problems.iter().chain(&[401]) {
        let content = json!({crate::problem::MEDIA_TYPE: {"schema": reference("Problem")}});
        responses.insert(problem.to_string(), json!({"description": "Problem", "content": content}));
    }
    let mut operation = json!({
        "operationId": operation_id(call),
        "summary": call.summary,
        "parameters": parameters(call),
        "responses": responses
    });
    if let Some(body) = call.body {
        operation["requestBody"] = json!({"required": true, "content": {JSON: {"schema": reference(body)}}});
    }
    operation
}

/// `post_export_jobs_cancel`.
fn operation_id(call: &Call) -> String {
    let words = call.path.split(['/', '-']).filter(|word| !word.is_empty() && !word.starts_with('{'));
    let parameter = call.path.ends_with('}').then_some("one");
    std::iter::once(call.method).chain(words).chain(parameter).collect::<Vec<_>>().join("_")
}

fn parameters(call: &Call) -> Vec<Value> {
    let in_path = call.path.contains("{job_uuid}").then(|| {
        json!({"name": "job_uuid", "in": "path", "required": true, "schema": {"type": "string", "format": "uuid"}})
    });
    let in_query = call.query.iter().map(|(name, meaning)| {
        json!({"name": name, "in": "query", "description": meaning, "schema": {"type": "string"}})
    });
    in_path.into_iter().chain(in_query).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_leads_somewhere_and_ids_are_unique() {
        let document = document("1.2.3");
        let text = document.to_string();
        for reference in text.split("#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(document["components"]["schemas"][name].is_object(), "{name}");
        }
        let mut ids: Vec<String> = CALLS.iter().map(operation_id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), CALLS.len());
        assert_eq!(document["components"]["schemas"]["CreateJob"]["type"], "object");
    }
}
