-- needs: SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector')
CREATE EXTENSION vector SCHEMA extensions;
CREATE TABLE more_types.vectors (id integer PRIMARY KEY, v extensions.vector(3), half extensions.halfvec(2), sparse extensions.sparsevec(5), free extensions.vector);
INSERT INTO more_types.vectors VALUES (1, '[1,2.5,-3e-5]', '[0.1,65504]', '{1:0.5,5:-1}/5', '[0]'), (2, NULL, NULL, NULL, NULL);
CREATE INDEX near ON more_types.vectors USING hnsw (v extensions.vector_cosine_ops) WITH (m = 8, ef_construction = 32);
CREATE TABLE more_types.keys_by_vector (v extensions.vector(2) PRIMARY KEY, list extensions.vector[], halves extensions.halfvec(3)[], sparse extensions.sparsevec[]);
INSERT INTO more_types.keys_by_vector VALUES
    ('[-0,1e-38]', ARRAY['[1]', NULL, '[1,2]']::extensions.vector[], ARRAY['[1,2,3]']::extensions.halfvec[], '{}'), ('[2,1]', '{}', NULL, ARRAY['{}/3']::extensions.sparsevec[]),
    ('[1,2]', NULL, '{}', NULL);
