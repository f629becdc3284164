-- Runs once, when the database is made, after access.sql.

SET ROLE services; -- the tables are the services' own
CREATE TABLE die_specifications (
    identifier text PRIMARY KEY CHECK (identifier ~ '^[a-z0-9-]{1,32}$'),
    faces      int[] NOT NULL CHECK (array_ndims(faces) = 1 AND cardinality(faces) BETWEEN 1 AND 100),
    error_rate double precision NOT NULL DEFAULT 0 CHECK (error_rate BETWEEN 0 AND 1),
    shakes     int NOT NULL DEFAULT 0 CHECK (shakes BETWEEN 0 AND 1000),
    CHECK (array_position(faces, NULL) IS NULL AND 0 <= ALL (faces) AND 1000000 >= ALL (faces))
);

INSERT INTO die_specifications (identifier, faces, error_rate, shakes) VALUES
    ('fair',  '{1,2,3,4,5,6}', 0,   0),
    ('risky', '{2,3,4,5,6,7}', 0.1, 0),
    ('heavy', '{1,2,3,4,5,6}', 0,   20);
