//! One batch inside its transaction.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use spanfleet_core::{Annotation, Document, Include, ProjectId};
use spanfleet_source::SourceError;
use spanfleet_source::load::LoadReport;
use spanfleet_source::load::names::{Names, label_components};
use spanfleet_source::load::range::Range;
use sqlx::sqlite::SqliteConnection;

use super::Known;
use super::rows::{self, Write};
use crate::documents::Documents;
use crate::error::Place;
use crate::slice::{Slice, json_list};

pub(crate) struct Batch<'b> {
    pub(crate) database: &'b mut SqliteConnection,
    pub(crate) project: ProjectId,
    pub(crate) place: &'b Place,
    pub(crate) known: Known,
}

impl Batch<'_> {
    pub(crate) async fn load(&mut self, documents: &[Document]) -> Result<LoadReport, SourceError> {
        let stored = self.stored(documents).await?;
        let mut report = LoadReport::default();
        let (mut new, mut changed) = (Vec::new(), Vec::new());
        for document in documents {
            match stored.get(document.id.as_str()) {
                None => new.push(document),
                Some((_, stored)) if stored == document => report.texts_unchanged += 1,
                Some((text_id, _)) => {
                    changed.push(Write { document, text_id: *text_id, first_annotation: 0 });
                }
            }
        }
        (report.texts_new, report.texts_updated) = (new.len() as u64, changed.len() as u64);
        self.replace_texts(&changed).await?;
        let first_text = self.next_id("texts").await?;
        let placed = new.into_iter().zip(first_text..);
        let mut writes: Vec<Write<'_>> =
            placed.map(|(document, text_id)| Write { document, text_id, first_annotation: 0 }).collect();
        rows::insert_texts(self.database, &writes, self.project, self.place).await?;
        writes.extend(changed);
        (report.annotations, report.relations) = self.write_annotations(&mut writes).await?;
        Ok(report)
    }

    /// The documents of these ids as they stand in the project, with the row ids of their texts.
    async fn stored(
        &mut self,
        documents: &[Document],
    ) -> Result<HashMap<String, (i64, Document)>, SourceError> {
        let ids: Vec<&str> = documents.iter().map(|document| document.id.as_str()).collect();
        let sql = "SELECT id FROM texts WHERE project_id = ? \
                   AND external_id IN (SELECT value FROM json_each(?)) ORDER BY id";
        let query = sqlx::query_scalar(sql).bind(self.project.0).bind(json_list(&ids));
        let found: Vec<i64> =
            query.fetch_all(&mut *self.database).await.map_err(|error| self.failure(&error))?;
        let mut stored = HashMap::new();
        if found.is_empty() {
            return Ok(stored);
        }
        let include = Include { metadata: true, relations: true, hierarchies: false };
        let slice = Slice { texts: Some(found), ..Slice::whole(self.project, Range::ALL, include) };
        let mut names = self.names();
        let mut documents = Documents::open(self.database, &slice, &mut names, self.place).await?;
        while let Some((text_id, document)) = documents.next().await? {
            stored.insert(document.id.to_string(), (text_id, document));
        }
        Ok(stored)
    }

    fn names(&self) -> Names {
        let by_id = |names: &HashMap<String, i64>| {
            names.iter().map(|(name, id)| (*id, Arc::from(name.as_str()))).collect::<HashMap<i64, Arc<str>>>()
        };
        Names::new(by_id(&self.known.labels), by_id(&self.known.people))
    }

    async fn make_people(&mut self, writes: &[Write<'_>]) -> Result<(), SourceError> {
        for name in unknown(writes, &self.known.people, |annotation| annotation.annotator.as_deref()) {
            let query = sqlx::query("INSERT INTO users (name) VALUES (?)").bind(&name);
            let made = query.execute(&mut *self.database).await.map_err(|error| self.failure(&error))?;
            self.known.people.insert(name, made.last_insert_rowid());
        }
        Ok(())
    }

    async fn make_labels(&mut self, writes: &[Write<'_>]) -> Result<(), SourceError> {
        for label in unknown(writes, &self.known.labels, |annotation| Some(&annotation.label)) {
            let (mut path, mut parent) = (String::new(), None);
            for name in label_components(&label) {
                if !path.is_empty() {
                    path.push('/');
                }
                path.push_str(name);
                let id = match self.known.labels.get(&path) {
                    Some(id) => *id,
                    None => self.make_label(parent, name).await?,
                };
                self.known.labels.insert(path.clone(), id);
                parent = Some(id);
            }
        }
        Ok(())
    }

    async fn make_label(&mut self, parent: Option<i64>, name: &str) -> Result<i64, SourceError> {
        let query = sqlx::query("INSERT INTO labels (project_id, parent_id, name) VALUES (?, ?, ?)");
        let query = query.bind(self.project.0).bind(parent).bind(name);
        let made = query.execute(&mut *self.database).await.map_err(|error| self.failure(&error))?;
        Ok(made.last_insert_rowid())
    }

    /// The id after the last that a table ever had.
    async fn next_id(&mut self, table: &str) -> Result<i64, SourceError> {
        let query =
            sqlx::query_scalar("SELECT COALESCE(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = ?");
        query.bind(table).fetch_one(&mut *self.database).await.map_err(|error| self.failure(&error))
    }

    /// Empties the changed texts of annotations and writes their own columns anew, in place.
    async fn replace_texts(&mut self, changed: &[Write<'_>]) -> Result<(), SourceError> {
        for Write { document, text_id, .. } in changed {
            for delete in
                ["DELETE FROM relations WHERE text_id = ?", "DELETE FROM annotations WHERE text_id = ?"]
            {
                let deleted = sqlx::query(delete).bind(text_id).execute(&mut *self.database).await;
                deleted.map_err(|error| self.failure(&error))?;
            }
            let query = sqlx::query("UPDATE texts SET content = ?, metadata = ?, tokens = ? WHERE id = ?");
            let query = query.bind(&document.text).bind(rows::metadata_column(document));
            let query = query.bind(rows::tokens_column(document, self.place)?).bind(text_id);
            query.execute(&mut *self.database).await.map_err(|error| self.failure(&error))?;
        }
        Ok(())
    }

    /// Writes annotations and relations; gives their counts.
    async fn write_annotations(&mut self, writes: &mut [Write<'_>]) -> Result<(u64, u64), SourceError> {
        self.make_people(writes).await?;
        self.make_labels(writes).await?;
        let mut next = self.next_id("annotations").await?;
        for write in &mut *writes {
            write.first_annotation = next;
            next += write.document.annotations.len() as i64;
        }
        let annotations = rows::insert_annotations(self.database, writes, &self.known, self.place).await?;
        let relations = rows::insert_relations(self.database, writes, self.place).await?;
        Ok((annotations, relations))
    }

    fn failure(&self, error: &sqlx::Error) -> SourceError {
        self.place.failure("load", error)
    }
}

/// The names in documents that the database does not know yet, sorted.
fn unknown(
    writes: &[Write<'_>],
    known: &HashMap<String, i64>,
    name: impl Fn(&Annotation) -> Option<&str>,
) -> Vec<String> {
    let annotations = writes.iter().flat_map(|write| &write.document.annotations);
    let new: BTreeSet<&str> =
        annotations.filter_map(name).filter(|name| !known.contains_key(*name)).collect();
    new.into_iter().map(str::to_owned).collect()
}
