//! A database with two empty projects, and comfort around it.

use std::any::Any;
use std::sync::Arc;

use spanfleet_core::options::Partitions;
use spanfleet_core::{Document, Filter, Include, ProjectId};

use super::super::{LoadReport, Loader};
use crate::{BATCH_BYTES, Bounds, Cut, Plan, Selection, Source, SourceError};

/// What a story plays on.
pub struct Stage {
    /// Reads the database.
    pub source: Arc<dyn Source>,
    /// Begins another import into it.
    pub begin_import: Box<dyn Fn() -> Box<dyn Loader> + Send + Sync>,
    /// An empty project.
    pub project: ProjectId,
    /// Another one.
    pub other_project: ProjectId,
    /// Lives as long as the stage: the database's folder, or what removes it from its server.
    pub guard: Box<dyn Any + Send + Sync>,
}

impl Stage {
    /// Everything of the project.
    pub fn everything(&self) -> Selection {
        self.filtered(Filter::default())
    }

    pub(crate) fn filtered(&self, filter: Filter) -> Selection {
        let include = Include { metadata: true, relations: true, hierarchies: false };
        Selection { project: self.project, filter, include }
    }

    /// Loads into the project.
    pub async fn load(&self, documents: &[Document]) -> LoadReport {
        self.try_load(self.project, documents).await.unwrap()
    }

    /// One import in batches of a few documents.
    pub(crate) async fn try_load(
        &self,
        project: ProjectId,
        documents: &[Document],
    ) -> Result<LoadReport, SourceError> {
        let mut loader = (self.begin_import)();
        let mut report = LoadReport::default();
        for batch in documents.chunks(100) {
            report.add(loader.load(project, batch.to_vec()).await?);
        }
        Ok(report)
    }

    /// The plan of a selection in so many partitions.
    pub async fn plan(&self, selection: &Selection, partitions: Partitions) -> Plan {
        self.source.plan(selection, &Cut { partitions, needs_labels: true, at_blocks: false }).await.unwrap()
    }

    /// The documents of one partition.
    pub async fn read(&self, selection: &Selection, bounds: &Bounds) -> Vec<Document> {
        let mut stream = self.source.read(selection, bounds).await.unwrap();
        let mut documents = Vec::new();
        while let Some(batch) = stream.recv().await {
            let batch = batch.unwrap();
            let bytes: usize = batch.iter().map(crate::load::batch::weight_bytes).sum();
            assert!(
                batch.len() == 1 || (bytes <= BATCH_BYTES && !batch.is_empty()),
                "{bytes} bytes in a batch"
            );
            documents.extend(batch);
        }
        documents
    }

    /// The documents of a selection, by three partitions.
    pub(crate) async fn read_all(&self, selection: &Selection) -> Vec<Document> {
        let plan = self.plan(selection, Partitions::Count(3)).await;
        let mut documents = Vec::new();
        for bounds in &plan.partitions {
            documents.extend(self.read(selection, bounds).await);
        }
        documents
    }
}
