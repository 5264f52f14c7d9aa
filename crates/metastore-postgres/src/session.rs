//! Statements in, rows out.

use async_trait::async_trait;
use spanfleet_metastore::{
    Cell, MetastoreError, MetastoreErrorKind, Parameter, Row, Session, Statement, dialect,
};
use sqlx::{
    Column, PgConnection, Postgres, Row as _, Transaction, TypeInfo, ValueRef,
    pool::PoolConnection,
    postgres::{PgArguments, PgRow},
    query::Query,
};
use time::OffsetDateTime;

use crate::{Result, error};

/// A transaction, or a connection whose statements stand alone.
pub(crate) struct PostgresSession {
    inner: Inner,
    address: String,
}

enum Inner {
    Transaction(Transaction<'static, Postgres>),
    Connection(PoolConnection<Postgres>),
}

impl PostgresSession {
    pub(crate) fn transaction(transaction: Transaction<'static, Postgres>, address: &str) -> PostgresSession {
        PostgresSession { inner: Inner::Transaction(transaction), address: address.to_owned() }
    }

    pub(crate) fn connection(connection: PoolConnection<Postgres>, address: &str) -> PostgresSession {
        PostgresSession { inner: Inner::Connection(connection), address: address.to_owned() }
    }

    fn connection_mut(&mut self) -> &mut PgConnection {
        match &mut self.inner {
            Inner::Transaction(transaction) => transaction,
            Inner::Connection(connection) => connection,
        }
    }
}

#[async_trait]
impl Session for PostgresSession {
    async fn rows(&mut self, statement: Statement, parameters: Vec<Parameter>) -> Result<Vec<Row>> {
        let rows = query(statement, parameters).fetch_all(self.connection_mut()).await;
        rows.map_err(|cause| error::explain(cause, &self.address))?.iter().map(row).collect()
    }

    async fn execute(&mut self, statement: Statement, parameters: Vec<Parameter>) -> Result<u64> {
        let done = query(statement, parameters).execute(self.connection_mut()).await;
        Ok(done.map_err(|cause| error::explain(cause, &self.address))?.rows_affected())
    }

    async fn commit(self: Box<Self>) -> Result<()> {
        match self.inner {
            Inner::Transaction(transaction) => {
                transaction.commit().await.map_err(|cause| error::explain(cause, &self.address))
            }
            Inner::Connection(_) => Ok(()),
        }
    }
}

fn query(statement: Statement, parameters: Vec<Parameter>) -> Query<'static, Postgres, PgArguments> {
    parameters.into_iter().fold(sqlx::query(dialect!(statement)), |query, parameter| match parameter {
        Parameter::Integer(value) => query.bind(value),
        Parameter::Float(value) => query.bind(value),
        Parameter::Text(value) => query.bind(value),
        Parameter::Boolean(value) => query.bind(value),
    })
}

fn row(row: &PgRow) -> Result<Row> {
    let cell = |(at, column): (usize, &sqlx::postgres::PgColumn)| {
        let name = column.name().to_owned();
        let cell = cell(row, at).map_err(|cause| {
            MetastoreError::new(MetastoreErrorKind::Corrupt, format!("column `{name}` can't be read"))
                .because(cause)
        })?;
        Ok((name, cell))
    };
    row.columns().iter().enumerate().map(cell).collect::<Result<_>>().map(Row::new)
}

fn cell(row: &PgRow, at: usize) -> std::result::Result<Cell, sqlx::Error> {
    let value = row.try_get_raw(at)?;
    if value.is_null() {
        return Ok(Cell::Null);
    }
    Ok(match value.type_info().name() {
        "INT2" => Cell::Integer(row.try_get::<i16, _>(at)?.into()),
        "INT4" => Cell::Integer(row.try_get::<i32, _>(at)?.into()),
        "INT8" => Cell::Integer(row.try_get(at)?),
        "FLOAT8" => Cell::Float(row.try_get(at)?),
        "BOOL" => Cell::Boolean(row.try_get(at)?),
        "TIMESTAMPTZ" => Cell::Time(row.try_get::<OffsetDateTime, _>(at)?.into()),
        "UUID" => Cell::Text(row.try_get::<uuid::Uuid, _>(at)?.to_string()),
        "JSON" | "JSONB" => Cell::Json(row.try_get(at)?),
        _ => Cell::Text(row.try_get(at)?),
    })
}
