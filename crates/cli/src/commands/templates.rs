//! `spanfleet templates`: a format with parameters and a loader for each framework and task.

use serde_json::{Value, json};
use spanfleet_formats::templates::{Template, templates};

use crate::{args::TemplatesArgs, failure::Failure};

pub(super) fn print(args: &TemplatesArgs) -> Result<(), Failure> {
    let is = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted == found);
    let chosen = templates().iter().filter(|template| {
        is(&args.framework, &template.framework) && is(&args.task_type, &template.task_type)
    });
    if args.json.json {
        let rows: Vec<Value> = chosen.map(row).collect();
        outln!("{}", serde_json::to_string_pretty(&json!({"templates": rows}))?);
        return Ok(());
    }
    outln!("Templates (--template):");
    for template in chosen {
        outln!("  {:<38} {}: {}", template.path(), template.format, template.description);
    }
    Ok(())
}

fn row(template: &Template) -> Value {
    json!({
        "template": template.path(),
        "template_name": template.template_name,
        "framework": template.framework,
        "task_type": template.task_type,
        "format": template.format,
        "parameters": template.layer(),
        "include_relations": template.include_relations,
        "label_encoding": template.label_encoding,
        "preprocessing_steps": template.preprocessing_steps,
        "validation_schema": template.validation_schema,
        "framework_config": template.framework_config,
        "description": template.description,
        "example_usage": template.script(),
    })
}
