//! `spanfleet preview`: the first records of an export on standard output, at once; and the same for the API.

use std::{io::Write as _, sync::Arc};

use async_trait::async_trait;
use spanfleet_core::{Order, ProjectId, job::ErrorClass};
use spanfleet_dispatcher::{CantShow, Previewer, Shown};
use spanfleet_source::{SelectionCount, Source};
use spanfleet_worker::StepError;

use super::{export::tell_ledger, order::Asked};
use crate::{args::PreviewArgs, failure::Failure, wire::Wire};

pub(super) async fn preview(wire: &Wire, args: &PreviewArgs, is_quiet: bool) -> Result<(), Failure> {
    let order = Asked::read(&args.order)?.check()?;
    let input = wire.input(&args.input, None).await?;
    input.source.check().await?;
    let project = input.project.unwrap_or(ProjectId(0));
    let shown = spanfleet_worker::preview(input.source.as_ref(), project, order, args.texts).await;
    let shown = shown.map_err(|error| Failure::new(error.to_string()))?;
    std::io::stdout().write_all(&shown.content)?;
    if !is_quiet {
        if let Some(SelectionCount { texts, annotations }) = shown.selected {
            eprintln!("  of           {texts} texts, {annotations} annotations selected");
        }
        eprint!("{}", tell_ledger(&shown.ledger));
    }
    Ok(())
}

/// Shows the beginning of exports of one source.
pub(super) struct SourcePreviewer(pub(super) Arc<dyn Source>);

#[async_trait]
impl Previewer for SourcePreviewer {
    async fn preview(&self, project: ProjectId, order: &Order, texts: usize) -> Result<Shown, CantShow> {
        let shown = spanfleet_worker::preview(self.0.as_ref(), project, order.clone(), texts).await;
        shown
            .map(|shown| Shown {
                content: shown.content,
                media_type: shown.media_type.to_owned(),
                ledger: shown.ledger,
                selected: shown.selected,
            })
            .map_err(|error| CantShow { is_passing: is_passing(&error), message: error.to_string() })
    }

    async fn count(&self, project: ProjectId, order: &Order) -> Option<SelectionCount> {
        // The job stands, whatever its source says now.
        spanfleet_worker::count(self.0.as_ref(), project, order).await.unwrap_or_default()
    }
}

fn is_passing(error: &StepError) -> bool {
    !matches!(error, StepError::Failed { class: ErrorClass::Poison, .. })
}
