-- Who may do what. Runs first, as the superuser: nobody else knows that one's password, and nobody needs it.

\getenv services SERVICES_DATABASE_PASSWORD
\getenv exporter EXPORTER_DATABASE_PASSWORD
\getenv grafana  GRAFANA_DATABASE_PASSWORD

-- die-service, and usage-service in stage 6: a role that makes tables here, owns those, and can do no more.
CREATE ROLE services LOGIN PASSWORD :'services';
GRANT CREATE ON SCHEMA public TO services;

-- postgres-exporter: the server's figures, and no table.
CREATE ROLE exporter LOGIN PASSWORD :'exporter' IN ROLE pg_monitor;

-- Grafana: whoever reaches it can write any query, so this role reads tables, those that come later too.
CREATE ROLE grafana LOGIN PASSWORD :'grafana';
ALTER DEFAULT PRIVILEGES FOR ROLE services GRANT SELECT ON TABLES TO grafana;
