//! The order that `export` and `jobs create` share on the command line.

use std::path::Path;

use serde_json::{Map, Value};
use spanfleet_core::{Include, Order};
use spanfleet_dispatcher::catalogue::parameters;
use spanfleet_formats::{
    catalogue::base_of,
    templates::{Template, find_template},
};
use spanfleet_metastore::FormatRow;

use super::formats;
use crate::{args::OrderArgs, failure::Failure, pairs};

/// What the flags ask for, unchecked: the API checks a job's, [`Asked::check`] an export's.
pub(super) struct Asked {
    pub(super) format: Option<String>,
    /// The user-defined format whose file was named.
    pub(super) custom: Option<FormatRow>,
    pub(super) template: Option<String>,
    pub(super) parameters: Map<String, Value>,
    pub(super) filter: Map<String, Value>,
    pub(super) include: Include,
}

impl Asked {
    pub(super) fn read(args: &OrderArgs) -> Result<Asked, Failure> {
        let mut parameters = pairs::options(&args.set)?;
        if let Some(split) = &args.split {
            parameters.insert("split".to_owned(), pairs::split(split)?);
        }
        if let Some(compression) = &args.compression {
            parameters.insert("compression".to_owned(), Value::from(compression.as_str()));
        }
        let include = Include {
            metadata: take_flag(&mut parameters, "include_metadata", !args.no_metadata)?,
            relations: take_flag(&mut parameters, "include_relations", args.include_relations)?,
            hierarchies: take_flag(&mut parameters, "include_hierarchies", args.include_hierarchies)?,
        };
        let filter = pairs::filters(&args.filter)?;
        let file = args
            .format
            .as_deref()
            .map(Path::new)
            .filter(|name| name.extension().is_some_and(|it| it == "json"));
        let custom = file.map(formats::read).transpose()?;
        Ok(Asked {
            format: custom.as_ref().map(|row| row.format_name.clone()).or_else(|| args.format.clone()),
            custom,
            template: args.template.clone(),
            parameters,
            filter,
            include,
        })
    }

    /// The checked order.
    pub(super) fn check(&self) -> Result<Order, Failure> {
        let template = self.template.as_deref().map(find_template).transpose()?;
        let mut include = self.include;
        include.relations |= template.is_some_and(|template| template.include_relations);
        let layer = match &self.custom {
            Some(row) => parameters(row),
            None => template.map(Template::layer).unwrap_or_default(),
        };
        let format = match &self.custom {
            Some(row) => Some(base_of(&row.format_name, &row.format_type)),
            None => template.map(|template| template.format.as_str()).or(self.format.as_deref()),
        };
        let order =
            Order::new(format.unwrap_or_default(), &[&layer, &self.parameters], &self.filter, include)?;
        spanfleet_formats::open(&order)?;
        Ok(order)
    }
}

/// The inclusions are fields of a job and no parameters, but `--set include_relations=true` is what one tries.
fn take_flag(parameters: &mut Map<String, Value>, key: &str, otherwise: bool) -> Result<bool, Failure> {
    match parameters.shift_remove(key) {
        None => Ok(otherwise),
        Some(Value::Bool(flag)) => Ok(flag),
        Some(other) => {
            Err(Failure::usage(format!("option `{key}` can't be `{other}`; allowed: true, false")))
        }
    }
}
