-- The role that KEDA's PostgreSQL scaler logs in with: it may count what waits and what runs, and read nothing
-- else. `psql -v password=… -f scaler-role.sql`, once, as the owner of the tables, after `spanfleet migrate`.
CREATE ROLE spanfleet_scaler LOGIN PASSWORD :'password' CONNECTION LIMIT 4;
ALTER ROLE spanfleet_scaler SET default_transaction_read_only = on;
ALTER ROLE spanfleet_scaler SET statement_timeout = '5s';
GRANT USAGE ON SCHEMA public TO spanfleet_scaler;
GRANT SELECT (due_at) ON outbox TO spanfleet_scaler;
GRANT SELECT (state) ON export_partitions TO spanfleet_scaler;
