//! Users, projects, tokens.

use spanfleet_core::{ProjectId, UserId};

use super::{Result, only, params};
use crate::{Caller, ProjectRow, Row, Session, Statement, TokenRow};

pub(super) async fn ensure_user(session: &mut dyn Session, name: &str, is_admin: bool) -> Result<UserId> {
    let rows = session.rows(Statement::EnsureUser, params![name, is_admin]).await?;
    Ok(UserId(only(&rows)?.get("id")?))
}

pub(super) async fn ensure_project(session: &mut dyn Session, name: &str) -> Result<ProjectRow> {
    project(only(&session.rows(Statement::EnsureProject, params![name]).await?)?)
}

pub(super) async fn projects(session: &mut dyn Session) -> Result<Vec<ProjectRow>> {
    session.rows(Statement::ReadProjects, params![]).await?.iter().map(project).collect()
}

fn project(row: &Row) -> Result<ProjectRow> {
    Ok(ProjectRow { id: ProjectId(row.get("id")?), name: row.get("name")? })
}

pub(super) async fn create_token(
    session: &mut dyn Session,
    user: UserId,
    hash: &str,
    expires_in_seconds: Option<i64>,
) -> Result<i64> {
    let parameters = params![user.0, hash, expires_in_seconds.map(|seconds| seconds as f64)];
    only(&session.rows(Statement::CreateToken, parameters).await?)?.get("id")
}

pub(super) async fn tokens(session: &mut dyn Session) -> Result<Vec<TokenRow>> {
    session.rows(Statement::ReadTokens, params![]).await?.iter().map(token).collect()
}

fn token(row: &Row) -> Result<TokenRow> {
    Ok(TokenRow {
        id: row.get("id")?,
        user: row.get("owner")?,
        created_at: row.get("created_at")?,
        expires_at: row.get("expires_at")?,
        revoked_at: row.get("revoked_at")?,
    })
}

pub(super) async fn caller(session: &mut dyn Session, token_hash: &str) -> Result<Option<Caller>> {
    let rows = session.rows(Statement::ReadCaller, params![token_hash]).await?;
    rows.first()
        .map(|row| {
            Ok(Caller {
                user: UserId(row.get("id")?),
                name: row.get("name")?,
                is_admin: row.get("is_admin")?,
            })
        })
        .transpose()
}

pub(super) async fn usable_project(
    session: &mut dyn Session,
    caller: &Caller,
    id: Option<i32>,
    name: Option<&str>,
) -> Result<Option<ProjectId>> {
    let parameters = params![id, name, caller.user.0, caller.is_admin];
    let rows = session.rows(Statement::ReadAccess, parameters).await?;
    rows.first().map(|row| Ok(ProjectId(row.get("id")?))).transpose()
}
