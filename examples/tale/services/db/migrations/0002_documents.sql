-- What rag writes: documents cut into chunks, each searchable by word and by vector.

CREATE TABLE documents (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    url          text NOT NULL UNIQUE,
    title        text NOT NULL,
    content_hash text NOT NULL,
    indexed_at   timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE chunks (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    document_id bigint NOT NULL REFERENCES documents ON DELETE CASCADE,
    ordinal     integer NOT NULL,
    text        text NOT NULL,
    words       tsvector NOT NULL GENERATED ALWAYS AS (to_tsvector('english', text)) STORED,
    embedding   vector(384),
    UNIQUE (document_id, ordinal)
);
