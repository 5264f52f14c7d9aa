//! Set-up, users, projects, tokens, catalogue.

use std::sync::Arc;

use serde_json::json;

use super::stage::{Stage, format_row};
use crate::{Caller, Key, Metastore, MetastoreErrorKind, TemplateRow};

/// Several processes start at once on an empty database.
pub async fn migrating_at_once_is_safe(store: Arc<dyn Metastore>) {
    let failure = store.check().await.unwrap_err();
    assert_eq!(failure.kind, MetastoreErrorKind::Configuration);
    assert!(failure.message.contains("spanfleet migrate"), "{failure}");
    let failure = store.projects().await.unwrap_err();
    assert!(failure.message.contains("spanfleet migrate"), "{failure}");

    let runs: Vec<_> = (0..4)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.migrate().await })
        })
        .collect();
    for run in runs {
        run.await.unwrap().unwrap();
    }
    store.check().await.unwrap();
}

/// Names are unique, and being an administrator is never taken back by accident.
pub async fn users_and_projects(store: Arc<dyn Metastore>) {
    let stage = Stage::new(store).await;
    let store = &stage.store;
    assert_eq!(store.ensure_user("ada", true).await.unwrap(), stage.user);
    assert_eq!(store.ensure_user("ada", false).await.unwrap(), stage.user);
    store.create_token(stage.user, "hash", None).await.unwrap();
    let caller = store.caller("hash").await.unwrap().unwrap();
    assert_eq!(caller, Caller { user: stage.user, name: "ada".to_owned(), is_admin: true });

    let second = store.ensure_project("bio").await.unwrap();
    assert_eq!(store.ensure_project("bio").await.unwrap(), second);
    let names: Vec<_> = store.projects().await.unwrap().into_iter().map(|project| project.name).collect();
    assert_eq!(names, ["news", "bio"]);
}

/// Members and administrators may use a project that exists.
pub async fn membership(store: Arc<dyn Metastore>) {
    let stage = Stage::new(store).await;
    let member = Caller { user: stage.user, name: "ada".to_owned(), is_admin: false };
    let admin = Caller { is_admin: true, ..member.clone() };
    let (by_id, by_name) = (Key::Id(stage.project.0), Key::Name("news"));
    let nowhere = Key::Id(stage.project.0 + 1);
    let may_use =
        async |caller: &Caller, key: Key<'static>| stage.store.usable_project(caller, key).await.unwrap();
    for key in [by_id, by_name] {
        assert_eq!(may_use(&member, key).await, None);
        assert_eq!(may_use(&admin, key).await, Some(stage.project));
    }
    assert_eq!(may_use(&admin, nowhere).await, None);
    assert_eq!(may_use(&admin, Key::Name("none")).await, None);
    stage.store.add_member(stage.user, stage.project).await.unwrap();
    stage.store.add_member(stage.user, stage.project).await.unwrap();
    assert_eq!(may_use(&member, by_id).await, Some(stage.project));
}

/// A token works until it expires or is taken back.
pub async fn tokens_end(store: Arc<dyn Metastore>) {
    let stage = Stage::new(store).await;
    let store = &stage.store;
    store.create_token(stage.user, "short", Some(0)).await.unwrap();
    let long = store.create_token(stage.user, "long", Some(3600)).await.unwrap();
    assert_eq!(store.caller("short").await.unwrap(), None);
    assert_eq!(store.caller("unknown").await.unwrap(), None);
    assert_eq!(store.caller("long").await.unwrap().unwrap().user, stage.user);
    assert!(store.revoke_token(long).await.unwrap());
    assert!(!store.revoke_token(long).await.unwrap());
    assert!(!store.revoke_token(long + 1).await.unwrap());
    assert_eq!(store.caller("long").await.unwrap(), None);
    let tokens = store.tokens().await.unwrap();
    assert_eq!(tokens.len(), 2);
    assert_eq!(tokens[1].id, long);
    assert_eq!(tokens[1].user, "ada");
    assert!(tokens[1].revoked_at.is_some() && tokens[0].expires_at.is_some());
}

fn template(name: &str) -> TemplateRow {
    TemplateRow {
        id: 0,
        template_name: name.to_owned(),
        framework: "huggingface".to_owned(),
        task_type: "token_classification".to_owned(),
        data_format: json!({"format": "jsonl"}),
        label_encoding: json!({"label_scheme": "BIO"}),
        preprocessing_steps: json!([]),
        validation_schema: json!({}),
        framework_config: json!({}),
        example_usage: Some("print('ok')".to_owned()),
        is_active: true,
        usage_count: 0,
    }
}

/// Built-in rows are added and updated by name; their ids stay, and so do rows of others.
pub async fn catalogue_is_synced_by_name(store: Arc<dyn Metastore>) {
    let stage = Stage::new(store).await;
    let store = &stage.store;
    let mut changed = format_row("jsonl");
    changed.is_ml_ready = false;
    changed.metadata = json!({"version": "2"});
    store.sync_formats(&[format_row("csv"), changed.clone()]).await.unwrap();
    store.sync_formats(&[changed.clone()]).await.unwrap();
    let rows = store.formats().await.unwrap();
    assert_eq!(rows.len(), 2);
    changed.id = stage.format;
    assert_eq!(rows[0], changed);
    assert_eq!(store.format(Key::Id(stage.format)).await.unwrap().as_ref(), Some(&rows[0]));
    assert_eq!(store.format(Key::Name("csv")).await.unwrap().as_ref(), Some(&rows[1]));
    assert_eq!(store.format(Key::Name("none")).await.unwrap(), None);

    let mut hidden = template("hidden");
    hidden.is_active = false;
    store.sync_templates(&[template("shown"), hidden]).await.unwrap();
    store.sync_templates(&[template("shown")]).await.unwrap();
    let rows = store.templates(None, None).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(TemplateRow { id: 0, ..rows[0].clone() }, template("shown"));
    assert_eq!(store.templates(Some("huggingface"), Some("token_classification")).await.unwrap().len(), 1);
    assert!(store.templates(Some("spacy"), None).await.unwrap().is_empty());
    assert!(store.templates(None, Some("question_answering")).await.unwrap().is_empty());
}
