//! Templates: for each framework and task a format with its parameters, and the script that loads the export.
//!
//! `crates/formats/templates/templates.json` is the table, `FRAMEWORK/TASK.py` beside it the script that stands as
//! `load.py` beside the artifacts. To add one: a row there, a script, a line in [`SCRIPTS`].

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Map, Value};
use spanfleet_core::OptionError;

/// One row of the table; also a row of `ml_export_templates`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// Unique with framework and task.
    pub template_name: String,
    /// pytorch, tensorflow, huggingface, spacy, scikit_learn; custom: no framework, a jq filter to begin with.
    pub framework: String,
    /// One of the specification's tasks.
    pub task_type: String,
    /// The format that it exports to.
    pub format: String,
    /// Export parameters under the job's own.
    pub parameters: Map<String, Value>,
    /// Whether relations are exported even when they are not asked for.
    pub include_relations: bool,
    /// How labels become numbers or tags.
    pub label_encoding: Value,
    /// `preprocessing` under the job's own.
    pub preprocessing_steps: Vec<Value>,
    /// JSON Schema of a record as the script sees it.
    pub validation_schema: Value,
    /// What the framework is told.
    pub framework_config: Value,
    /// One line for people.
    pub description: String,
}

impl Template {
    /// `framework/task`, as `--template` takes it.
    pub fn path(&self) -> String {
        format!("{}/{}", self.framework, self.task_type)
    }

    /// The script that loads an export of this template.
    pub fn script(&self) -> &'static str {
        let path = self.path();
        SCRIPTS.iter().find(|(of, _)| *of == path).map_or("", |(_, script)| script)
    }

    /// Export parameters under the job's own: its parameters and steps, and its name, by which whoever seals the
    /// export knows the script.
    pub fn layer(&self) -> Map<String, Value> {
        let mut layer = self.parameters.clone();
        if !self.preprocessing_steps.is_empty() {
            layer.insert("preprocessing".to_owned(), self.preprocessing_steps.clone().into());
        }
        layer.insert("template".to_owned(), self.path().into());
        layer
    }
}

static TEMPLATES: LazyLock<Vec<Template>> = LazyLock::new(|| {
    let table = serde_json::from_str(include_str!("../templates/templates.json"));
    // The table is part of the program; a test reads it.
    table.unwrap_or_default()
});

macro_rules! scripts {
    ($($path:literal),+ $(,)?) => {
        &[$(($path, include_str!(concat!("../templates/", $path, ".py")))),+]
    };
}

/// The scripts, in the program.
const SCRIPTS: &[(&str, &str)] = scripts![
    "pytorch/token_classification",
    "pytorch/sequence_classification",
    "pytorch/relation_extraction",
    "pytorch/question_answering",
    "pytorch/language_modeling",
    "tensorflow/token_classification",
    "tensorflow/sequence_classification",
    "tensorflow/relation_extraction",
    "tensorflow/question_answering",
    "tensorflow/language_modeling",
    "huggingface/token_classification",
    "huggingface/sequence_classification",
    "huggingface/relation_extraction",
    "huggingface/question_answering",
    "huggingface/language_modeling",
    "spacy/token_classification",
    "spacy/sequence_classification",
    "spacy/relation_extraction",
    "spacy/question_answering",
    "spacy/language_modeling",
    "scikit_learn/token_classification",
    "scikit_learn/sequence_classification",
    "scikit_learn/relation_extraction",
    "scikit_learn/question_answering",
    "scikit_learn/language_modeling",
    "custom/token_classification",
    "custom/sequence_classification",
    "custom/relation_extraction",
    "custom/question_answering",
    "custom/language_modeling",
];

/// Every template.
pub fn templates() -> &'static [Template] {
    &TEMPLATES
}

/// The template of a path; refuses an unknown one with the list.
pub fn find_template(path: &str) -> Result<&'static Template, OptionError> {
    let found = templates().iter().find(|template| template.path() == path);
    found.ok_or_else(|| {
        let paths: Vec<String> = templates().iter().map(Template::path).collect();
        OptionError::unknown("template", path, paths.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use spanfleet_core::{Include, Order};

    use super::*;

    #[test]
    fn every_framework_has_every_task_with_a_script_and_an_order() {
        assert_eq!(templates().len(), SCRIPTS.len());
        for template in templates() {
            assert!(template.script().len() > 100, "{}", template.path());
            let include = Include { relations: template.include_relations, ..Include::default() };
            let order = Order::new(&template.format, &[&template.layer()], &Map::new(), include);
            crate::open(&order.unwrap()).unwrap_or_else(|error| panic!("{}: {error}", template.path()));
        }
    }

    #[test]
    fn unknown_templates_are_refused_with_the_list() {
        let error = find_template("keras/vision").unwrap_err().to_string();
        assert!(error.starts_with("unknown template `keras/vision`; allowed: pytorch/"), "{error}");
    }
}
