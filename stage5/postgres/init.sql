-- Runs once, when the database is made.

CREATE TABLE die_specifications (
    identifier text PRIMARY KEY,
    faces      int[] NOT NULL CHECK (cardinality(faces) > 0),
    error_rate double precision NOT NULL DEFAULT 0 CHECK (error_rate BETWEEN 0 AND 1),
    shakes     int NOT NULL DEFAULT 0 CHECK (shakes >= 0)
);

INSERT INTO die_specifications (identifier, faces, error_rate, shakes) VALUES
    ('fair',  '{1,2,3,4,5,6}', 0,   0),
    ('risky', '{2,3,4,5,6,7}', 0.1, 0),
    ('heavy', '{1,2,3,4,5,6}', 0,   20);
