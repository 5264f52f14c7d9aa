//! `spanfleet migrate` and `spanfleet token`: set-up and access.

use spanfleet_dispatcher::tokens;
use spanfleet_metastore::Metastore;

use crate::{args::TokenCommand, failure::Failure, wire::Wire};

pub(super) async fn migrate(wire: &Wire) -> Result<(), Failure> {
    let metastore = wire.metastore().await?;
    metastore.migrate().await?;
    spanfleet_dispatcher::catalogue::sync(metastore.as_ref()).await?;
    outln!("{} is at version {}", metastore.address(), env!("CARGO_PKG_VERSION"));
    Ok(())
}

pub(super) async fn run(wire: &Wire, command: TokenCommand) -> Result<(), Failure> {
    let metastore = wire.ready_metastore().await?;
    match command {
        TokenCommand::Create { user, project, admin, expires_in } => {
            outln!("{}", create(metastore.as_ref(), &user, &project, admin, expires_in).await?);
        }
        TokenCommand::List(args) => {
            let rows = metastore.tokens().await?;
            if args.json {
                outln!("{}", serde_json::to_string_pretty(&rows)?);
            } else {
                for row in rows {
                    let end = row
                        .revoked_at
                        .map(|at| format!("revoked {at}"))
                        .or(row.expires_at.map(|at| format!("expires {at}")));
                    outln!(
                        "{:>5}  {:<24} made {}  {}",
                        row.id,
                        row.user,
                        row.created_at,
                        end.unwrap_or_default()
                    );
                }
            }
        }
        TokenCommand::Revoke { id } => {
            if !metastore.revoke_token(id).await? {
                return Err(Failure::new(format!(
                    "there is no live token `{id}`; `spanfleet token list` lists them"
                )));
            }
        }
    }
    Ok(())
}

/// Makes a token, its owner and the owner's membership.
pub(super) async fn create(
    metastore: &dyn Metastore,
    user: &str,
    projects: &[String],
    is_admin: bool,
    expires_in: Option<i64>,
) -> Result<String, Failure> {
    let owner = metastore.ensure_user(user, is_admin).await?;
    for project in projects {
        let project = metastore.ensure_project(project).await?;
        metastore.add_member(owner, project.id).await?;
    }
    let token = tokens::generate();
    metastore.create_token(owner, &tokens::hash(&token), expires_in).await?;
    Ok(token)
}
