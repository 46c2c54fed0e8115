-- What people have set for projects: documents by name.
CREATE TABLE errtrack_setting (
    project_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (project_id, name)
);
