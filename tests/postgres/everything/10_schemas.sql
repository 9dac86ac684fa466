-- Roles, schemas, extensions, collations. Roles belong to the server, so another database may have made them already.
DO $$
DECLARE
    role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['tbk_owner', 'tbk_reader', 'tbk_writer', 'tbk "quoted" role', 'tbk_Über.role'] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I', role);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
    END LOOP;
END
$$;

CREATE SCHEMA app AUTHORIZATION tbk_owner;
CREATE SCHEMA "select";
CREATE SCHEMA "Schema with ""quotes"", spaces. And ünïcode 🦀";
CREATE SCHEMA "line
break; DROP SCHEMA app CASCADE; --";
CREATE SCHEMA extensions;
CREATE SCHEMA nothing_in_it;
COMMENT ON SCHEMA app IS 'An app''s schema; with \ and
two lines';

CREATE EXTENSION hstore SCHEMA extensions;
CREATE EXTENSION citext SCHEMA extensions;
CREATE EXTENSION pg_trgm SCHEMA extensions;
CREATE EXTENSION btree_gist SCHEMA extensions;
CREATE EXTENSION ltree SCHEMA extensions;
CREATE EXTENSION intarray SCHEMA extensions;
CREATE EXTENSION cube SCHEMA extensions;
CREATE EXTENSION isn SCHEMA extensions;

CREATE COLLATION app.plain (PROVIDER = libc, LOCALE = 'C');
CREATE COLLATION "select"."order ""by""" FROM "C";
COMMENT ON COLLATION app.plain IS 'bytes';

ALTER DEFAULT PRIVILEGES FOR ROLE tbk_owner IN SCHEMA app GRANT SELECT ON TABLES TO tbk_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE tbk_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
GRANT USAGE ON SCHEMA app, "select" TO tbk_reader, "tbk ""quoted"" role";
GRANT CREATE ON SCHEMA app TO tbk_writer WITH GRANT OPTION;
