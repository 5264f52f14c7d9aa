//! One batch inside its transaction.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use spanfleet_core::{Annotation, Document, Include, Json, ProjectId, TextLimit};
use spanfleet_source::SourceError;
use spanfleet_source::load::LoadReport;
use spanfleet_source::load::names::{Names, label_components};
use spanfleet_source::load::range::Range;
use sqlx::postgres::PgConnection;

use super::Known;
use super::keys::Keys;
use super::rows::{self, Write};
use crate::documents::Documents;
use crate::error::Place;
use crate::read::copy_out_whole;
use crate::slice::Slice;
use crate::tables::Tables;

/// What stands in a row can be read.
const STORED_LIMIT: TextLimit = TextLimit::of_mebibytes(1024);
/// Rows are sent in messages of this size.
const SEND_BYTES: usize = 256 * 1024;

pub(crate) struct Batch<'b> {
    pub(crate) database: &'b mut PgConnection,
    pub(crate) tables: &'b Tables,
    pub(crate) keys: Keys,
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
                Some((text_id, _)) => changed.push((document, *text_id)),
            }
        }
        (report.texts_new, report.texts_updated) = (new.len() as u64, changed.len() as u64);
        self.replace_texts(&changed).await?;
        let new_ids = self.draw_ids("texts", new.len()).await?;
        let mut writes: Vec<Write<'_>> = new.into_iter().zip(new_ids).map(Write::from).collect();
        self.copy_in(rows::TEXTS, rows::texts(&writes, self.project)?).await?;
        writes.extend(changed.into_iter().map(Write::from));
        (report.annotations, report.relations) = self.write_annotations(&mut writes).await?;
        Ok(report)
    }

    /// The documents of these ids as they stand in the project, with the row ids of their texts.
    async fn stored(
        &mut self,
        documents: &[Document],
    ) -> Result<HashMap<String, (i64, Document)>, SourceError> {
        let ids: Vec<&str> = documents.iter().map(|document| document.id.as_str()).collect();
        let sql = "SELECT id::int8 FROM texts WHERE project_id = $1 AND external_id = ANY($2) ORDER BY id";
        let found =
            sqlx::query_scalar(sql).bind(self.project.0).bind(ids).fetch_all(&mut *self.database).await;
        let found: Vec<i64> = found.map_err(|error| self.failure(&error))?;
        if found.is_empty() {
            return Ok(HashMap::new());
        }
        let include = Include { metadata: true, relations: true, hierarchies: false };
        let slice = Slice { texts: Some(found), ..Slice::whole(self.project, Range::ALL, include) };
        let texts = self.copy_out(&slice.copy_texts(self.tables, STORED_LIMIT)).await?;
        let annotations = self.copy_out(&slice.copy_annotations(self.tables)).await?;
        let relations = self.copy_out(&slice.copy_relations(self.tables)).await?;
        let mut documents =
            Documents::new(texts, annotations, Some(relations), self.names()).limited(STORED_LIMIT);
        let mut stored = HashMap::new();
        while let Some((text_id, document)) = documents.next()? {
            stored.insert(document.id.to_string(), (text_id, document));
        }
        Ok(stored)
    }

    async fn copy_out(
        &mut self,
        sql: &str,
    ) -> Result<std::iter::Once<Result<bytes::Bytes, SourceError>>, SourceError> {
        let rows = copy_out_whole(self.database, sql).await.map_err(|error| self.failure(&error))?;
        Ok(std::iter::once(Ok(rows)))
    }

    fn names(&self) -> Names {
        let by_id = |names: &HashMap<String, i64>| {
            names.iter().map(|(name, id)| (*id, Arc::from(name.as_str()))).collect::<HashMap<i64, Arc<str>>>()
        };
        Names::new(by_id(&self.known.labels), by_id(&self.known.people))
    }

    async fn make_people(&mut self, writes: &[Write<'_>]) -> Result<(), SourceError> {
        // In one order, so that two imports can't wait for each other's names.
        let new = unknown(writes, &self.known.people, |annotation| annotation.annotator.as_deref());
        if new.is_empty() {
            return Ok(());
        }
        let insert = "INSERT INTO users (name) SELECT unnest($1::text[]) ON CONFLICT (name) DO NOTHING";
        let made = sqlx::query(insert).bind(&new).execute(&mut *self.database).await;
        made.map_err(|error| self.failure(&error))?;
        let select = "SELECT name::text, id::int8 FROM users WHERE name = ANY($1)";
        let rows = sqlx::query_as(select).bind(&new).fetch_all(&mut *self.database).await;
        let rows: Vec<(String, i64)> = rows.map_err(|error| self.failure(&error))?;
        self.known.people.extend(rows);
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
        let insert = "INSERT INTO labels (project_id, parent_id, name) VALUES ($1, $2::int8, $3) \
                      ON CONFLICT DO NOTHING RETURNING id::int8";
        let select = "SELECT id::int8 FROM labels WHERE project_id = $1 \
                      AND COALESCE(parent_id, 0) = COALESCE($2::int8, 0) AND name = $3";
        let query = sqlx::query_scalar(insert).bind(self.project.0).bind(parent).bind(name);
        let made = query.fetch_optional(&mut *self.database).await.map_err(|error| self.failure(&error))?;
        if let Some(id) = made {
            return Ok(id);
        }
        let query = sqlx::query_scalar(select).bind(self.project.0).bind(parent).bind(name);
        query.fetch_one(&mut *self.database).await.map_err(|error| self.failure(&error))
    }

    /// The next ids of a table, ascending.
    async fn draw_ids(&mut self, table: &str, count: usize) -> Result<Vec<i64>, SourceError> {
        if count == 0 {
            return Ok(Vec::new());
        }
        // Materialized, or the name is looked up anew for each number, which is a third of an import.
        let sql = "WITH sequence AS MATERIALIZED (SELECT pg_get_serial_sequence($1, 'id')::regclass AS name) \
                   SELECT array_agg(nextval(sequence.name)) FROM sequence, generate_series(1, $2)";
        let query = sqlx::query_scalar(sql).bind(table).bind(count as i64);
        let ids: Result<Vec<i64>, _> = query.fetch_one(&mut *self.database).await;
        let mut ids = ids.map_err(|error| self.failure(&error))?;
        ids.sort_unstable();
        Ok(ids)
    }

    /// Empties the changed texts of annotations and writes their own columns anew, in place.
    async fn replace_texts(&mut self, changed: &[(&Document, i64)]) -> Result<(), SourceError> {
        if changed.is_empty() {
            return Ok(());
        }
        let ids: Vec<i64> = changed.iter().map(|(_, text_id)| *text_id).collect();
        for delete in [
            "DELETE FROM relations WHERE text_id = ANY($1)",
            "DELETE FROM annotations WHERE text_id = ANY($1)",
        ] {
            let deleted = sqlx::query(delete).bind(&ids).execute(&mut *self.database).await;
            deleted.map_err(|error| self.failure(&error))?;
        }
        let update = "UPDATE texts SET content = u.content, metadata = u.metadata::json, tokens = u.tokens::json \
                      FROM unnest($1::int8[], $2::text[], $3::text[], $4::text[]) AS u(id, content, metadata, tokens) \
                      WHERE texts.id = u.id";
        let (mut contents, mut metadata, mut tokens) = (Vec::new(), Vec::new(), Vec::new());
        for (document, _) in changed {
            contents.push(document.text.as_str());
            metadata.push(document.metadata.as_ref().map(Json::as_str));
            tokens.push(rows::tokens_column(document)?);
        }
        let query = sqlx::query(update).bind(ids).bind(contents).bind(metadata).bind(tokens);
        query.execute(&mut *self.database).await.map(drop).map_err(|error| self.failure(&error))
    }

    /// Writes annotations and relations; gives their counts.
    async fn write_annotations(&mut self, writes: &mut [Write<'_>]) -> Result<(u64, u64), SourceError> {
        let (mut annotations, mut relations) = (0, 0);
        for write in &mut *writes {
            write.first_annotation = annotations;
            annotations += write.document.annotations.len();
            relations += write.document.relations.len();
        }
        self.make_people(writes).await?;
        self.make_labels(writes).await?;
        let ids = self.draw_ids("annotations", annotations).await?;
        self.keys.hold(self.database, writes, &self.known, self.place).await?;
        self.copy_in(rows::ANNOTATIONS, rows::annotations(writes, &ids, &self.known)).await?;
        self.copy_in(rows::RELATIONS, rows::relations(writes, &ids, self.place)?).await?;
        self.keys.release(self.database, self.place).await?;
        Ok((annotations as u64, relations as u64))
    }

    /// Sends rows, if there are any.
    async fn copy_in(&mut self, sql: &str, rows: Option<Vec<u8>>) -> Result<(), SourceError> {
        let Some(rows) = rows else { return Ok(()) };
        let failure = |error: sqlx::Error| self.place.failure("load", &error);
        let mut copy = self.database.copy_in_raw(sql).await.map_err(failure)?;
        for piece in rows.chunks(SEND_BYTES) {
            copy.send(piece).await.map_err(failure)?;
        }
        copy.finish().await.map(drop).map_err(failure)
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
