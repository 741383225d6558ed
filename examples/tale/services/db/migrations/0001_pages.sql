-- What the crawler writes.

CREATE TABLE crawls (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    url         text NOT NULL,
    status      text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'done', 'failed')),
    pages       integer NOT NULL DEFAULT 0,
    detail      text,
    started_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz
);

CREATE TABLE pages (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    url          text NOT NULL UNIQUE,
    title        text NOT NULL,
    text         text NOT NULL,
    content_hash text NOT NULL,
    fetched_at   timestamptz NOT NULL DEFAULT now()
);
