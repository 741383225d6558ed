CREATE INDEX chunks_words ON chunks USING gin (words);
CREATE INDEX chunks_embedding ON chunks USING hnsw (embedding vector_cosine_ops);
