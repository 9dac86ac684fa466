-- Triggers, rules and row security.
CREATE SCHEMA guarded;
CREATE TABLE guarded.triggered (id integer PRIMARY KEY, a integer, b text);
INSERT INTO guarded.triggered VALUES (1, 1, 'a'), (2, 2, 'b');
CREATE TABLE guarded.target (id integer PRIMARY KEY);
CREATE TRIGGER before_row BEFORE INSERT OR UPDATE OF a, b ON guarded.triggered FOR EACH ROW WHEN (NEW.a > 10) EXECUTE FUNCTION code.touch('one', 'it''s "two"', E'\\');
CREATE TRIGGER after_statement AFTER DELETE OR TRUNCATE ON guarded.triggered FOR EACH STATEMENT EXECUTE FUNCTION code.touch();
CREATE TRIGGER "with ""transition"" tables" AFTER UPDATE ON guarded.triggered REFERENCING OLD TABLE AS "old rows" NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION code.touch();
CREATE CONSTRAINT TRIGGER at_the_end AFTER INSERT ON guarded.triggered FROM guarded.target DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.b IS DISTINCT FROM 'x') EXECUTE FUNCTION code.touch();
-- A restore that fires this one fails.
CREATE TRIGGER must_not_fire BEFORE INSERT ON guarded.triggered FOR EACH ROW EXECUTE FUNCTION code.must_not_run();
CREATE TRIGGER disabled_one BEFORE UPDATE ON guarded.triggered FOR EACH ROW EXECUTE FUNCTION code.must_not_run();
ALTER TABLE guarded.triggered DISABLE TRIGGER disabled_one;
CREATE TRIGGER replica_one BEFORE UPDATE ON guarded.triggered FOR EACH ROW EXECUTE FUNCTION code.touch();
ALTER TABLE guarded.triggered ENABLE REPLICA TRIGGER replica_one;
CREATE TRIGGER always_one BEFORE UPDATE ON guarded.triggered FOR EACH ROW EXECUTE FUNCTION code.touch();
ALTER TABLE guarded.triggered ENABLE ALWAYS TRIGGER always_one;
CREATE VIEW guarded.through AS SELECT id, b FROM guarded.triggered;
CREATE TRIGGER instead INSTEAD OF INSERT OR UPDATE OR DELETE ON guarded.through FOR EACH ROW EXECUTE FUNCTION code.touch();
COMMENT ON TRIGGER before_row ON guarded.triggered IS 'first';

CREATE TABLE guarded.ruled (id integer PRIMARY KEY, word text);
INSERT INTO guarded.ruled VALUES (1, 'a');
CREATE RULE keep AS ON DELETE TO guarded.ruled WHERE OLD.word = 'a' DO INSTEAD NOTHING;
CREATE RULE also AS ON INSERT TO guarded.ruled DO ALSO (INSERT INTO guarded.target VALUES (NEW.id + 1000); UPDATE guarded.target SET id = id);
CREATE RULE "disabled ""rule""" AS ON UPDATE TO guarded.ruled DO INSTEAD NOTHING;
ALTER TABLE guarded.ruled DISABLE RULE "disabled ""rule""";
COMMENT ON RULE keep ON guarded.ruled IS 'an a stays';

CREATE TABLE guarded.secured (id integer PRIMARY KEY, owner name, secret text);
INSERT INTO guarded.secured VALUES (1, 'tbk_reader', 'a'), (2, 'nobody', 'b'), (3, 'tbk_writer', 'c');
ALTER TABLE guarded.secured ENABLE ROW LEVEL SECURITY;
ALTER TABLE guarded.secured FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON guarded.secured FOR SELECT TO tbk_reader, "tbk ""quoted"" role" USING (owner = CURRENT_USER);
CREATE POLICY "write ""own""" ON guarded.secured AS RESTRICTIVE FOR ALL TO PUBLIC USING (true) WITH CHECK (secret IS NOT NULL);
CREATE POLICY add_some ON guarded.secured FOR INSERT WITH CHECK (id > (SELECT max(id) FROM guarded.target));
CREATE TABLE guarded.policy_without_security (id integer);
CREATE POLICY sleeping ON guarded.policy_without_security FOR UPDATE USING (id > 0);
CREATE TABLE guarded.security_without_policy (id integer);
INSERT INTO guarded.security_without_policy VALUES (1);
ALTER TABLE guarded.security_without_policy ENABLE ROW LEVEL SECURITY;
COMMENT ON POLICY own_rows ON guarded.secured IS 'what is yours';
ALTER TABLE guarded.secured OWNER TO tbk_owner;
GRANT SELECT ON guarded.secured TO tbk_reader;
