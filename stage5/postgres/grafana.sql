-- What Grafana connects as. Whoever reaches Grafana can write any query, so this role reads tables and no more.

\getenv password GRAFANA_DATABASE_PASSWORD
CREATE ROLE grafana LOGIN PASSWORD :'password';

-- Tables that come later, too: init.sql runs after this file.
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO grafana;
